//! The query protocol: how calls are signed and where they go, and answers that are none.

use std::collections::BTreeMap;

use fargate_fleet::aws::Class;

use super::support::Scripted;

const ZONES: &str = "<DescribeAvailabilityZonesResponse \
    xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><availabilityZoneInfo>\
    <item><zoneName>eu-central-1a</zoneName><zoneId>euc1-az2</zoneId></item>\
    </availabilityZoneInfo></DescribeAvailabilityZonesResponse>";

#[tokio::test]
async fn calls_are_signed_for_their_service_and_its_region() {
    let made = "<CreateOpenIDConnectProviderResponse><CreateOpenIDConnectProviderResult>\
        <OpenIDConnectProviderArn>arn:x</OpenIDConnectProviderArn>\
        </CreateOpenIDConnectProviderResult></CreateOpenIDConnectProviderResponse>";
    let aws = Scripted::new(&[(200, ZONES), (200, made)]);
    let caller = aws.caller().await;
    let zones = caller.ec2().availability_zones().await.unwrap();
    assert_eq!(zones[0].zone_id, "euc1-az2");
    let tags = BTreeMap::from([("a b".to_owned(), "ä&=+".to_owned())]);
    let issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC";
    let arn = caller.iam().create_oidc_provider(issuer, &tags).await;
    assert_eq!(arn.unwrap(), "arn:x");

    let calls = aws.calls();
    for (call, scope) in calls.iter().zip(["/eu-central-1/ec2/", "/us-east-1/iam/"]) {
        assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/"));
        let signed = call.authorization.as_str();
        assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=ASIATEST/"));
        assert!(signed.contains(scope), "{signed}");
        assert!(signed.contains("content-type;host;x-amz-date;x-amz-security-token"));
        assert_eq!(call.session_token, "token+/=");
    }
    let sent = |call: usize, name| calls[call].parameter(name).unwrap();
    assert_eq!(sent(0, "Version"), "2016-11-15");
    assert_eq!(sent(0, "Filter.1.Name"), "zone-type");
    assert_eq!(sent(1, "Version"), "2010-05-08");
    assert_eq!(sent(1, "ClientIDList.member.1"), "sts.amazonaws.com");
    assert_eq!(sent(1, "Tags.member.1.Key"), "a b");
    assert_eq!(sent(1, "Tags.member.1.Value"), "ä&=+");
}

#[tokio::test]
async fn refusals_are_classified_in_both_forms() {
    let of_ec2 = "<Response><Errors><Error><Code>InvalidSubnetID.NotFound</Code>\
        <Message>The subnet ID 'subnet-1' does not exist</Message></Error></Errors>\
        <RequestID>r-1</RequestID></Response>";
    let of_iam = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
        <Message>not authorized</Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
    let aws = Scripted::new(&[(400, of_ec2), (403, of_iam)]);
    let caller = aws.caller().await;
    let missing = caller.ec2().subnets(&["subnet-1".to_owned()]).await;
    let missing = missing.unwrap_err();
    assert_eq!(missing.class, Class::NotFound);
    assert_eq!(missing.message, "The subnet ID 'subnet-1' does not exist");
    let denied = caller.iam().has_oidc_provider("arn:x").await.unwrap_err();
    assert_eq!(denied.class, Class::AccessDenied);
    assert_eq!(denied.action, "GetOpenIDConnectProvider");
    aws.calls();
}

#[tokio::test]
async fn what_is_no_answer_of_aws_is_unavailable() {
    let aws = Scripted::new(&[
        (200, "<html>"),
        (200, "<a/>"),
        (502, "<html>bad gateway</html>"),
    ]);
    let caller = aws.caller().await;
    for _ in 0..3 {
        let broken = caller.ec2().availability_zones().await.unwrap_err();
        assert_eq!(broken.class, Class::Unavailable, "{broken}");
    }
    aws.calls();
}
