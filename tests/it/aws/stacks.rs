//! What CloudFormation says of a change that failed, over pages, and how often it is asked.

use fargate_fleet::aws::Class;
use fargate_fleet::aws::cloudformation::{NewStack, StackChange};

use super::support::{CLUSTER, Scripted};

const ID: &str = "arn:aws:cloudformation:eu-central-1:111111111111:stack/eksctl-prod-1-cluster/1";

/// One event: the resource, its status, and why.
fn event(resource: &str, status: &str, reason: &str) -> String {
    let (physical, kind) = if resource == "eksctl-prod-1-cluster" {
        (ID, "AWS::CloudFormation::Stack")
    } else {
        ("physical", "AWS::EC2::NatGateway")
    };
    format!(
        "<member><StackId>{ID}</StackId><EventId>e</EventId>\
         <StackName>eksctl-prod-1-cluster</StackName>\
         <LogicalResourceId>{resource}</LogicalResourceId>\
         <PhysicalResourceId>{physical}</PhysicalResourceId>\
         <ResourceType>{kind}</ResourceType><Timestamp>2026-01-01T00:00:00Z</Timestamp>\
         <ResourceStatus>{status}</ResourceStatus>\
         <ResourceStatusReason>{reason}</ResourceStatusReason></member>"
    )
}

/// A page of events, the latest first.
fn events(events: &[(&str, &str, &str)], next: &str) -> String {
    let events: String = events.iter().map(|(a, b, c)| event(a, b, c)).collect();
    format!(
        "<DescribeStackEventsResponse><DescribeStackEventsResult>\
         <StackEvents>{events}</StackEvents><NextToken>{next}</NextToken>\
         </DescribeStackEventsResult></DescribeStackEventsResponse>"
    )
}

const STACK: &str = "eksctl-prod-1-cluster";

#[tokio::test]
async fn the_first_failure_comes_first_and_what_was_given_up_is_left_out() {
    let late = events(
        &[
            (STACK, "ROLLBACK_COMPLETE", ""),
            ("VPC", "DELETE_COMPLETE", ""),
            (
                STACK,
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed: [NATGateway]",
            ),
            (
                "ServiceRole",
                "CREATE_FAILED",
                "Resource creation cancelled",
            ),
        ],
        "more",
    );
    let early = events(
        &[
            ("NATIP", "CREATE_FAILED", "later than the other"),
            (
                "NATGateway",
                "CREATE_FAILED",
                "The maximum number of addresses has been reached.",
            ),
            ("VPC", "CREATE_COMPLETE", ""),
            (STACK, "CREATE_IN_PROGRESS", "User Initiated"),
        ],
        "there is nothing before",
    );
    let aws = Scripted::new(&[(200, &late), (200, &early)]);
    let stacks = aws.caller().await.cloudformation();
    let failed = stacks.failed_resources(ID, StackChange::Create).await;
    let failed = failed.unwrap();
    let names: Vec<&str> = failed.iter().map(|one| one.logical_id.as_str()).collect();
    assert_eq!(names, ["NATGateway", "NATIP"]);
    assert_eq!(failed[0].resource_type, "AWS::EC2::NatGateway");
    assert_eq!(
        failed[0].reason,
        "The maximum number of addresses has been reached."
    );
    let calls = aws.calls();
    assert_eq!(calls.len(), 2, "nothing is read beyond the creation");
    assert_eq!(calls[0].parameter("StackName").unwrap(), ID);
    assert_eq!(calls[1].parameter("NextToken").unwrap(), "more");
}

#[tokio::test]
async fn only_the_latest_deletion_counts() {
    let page = events(
        &[
            (
                STACK,
                "DELETE_FAILED",
                "The following resource(s) failed to delete: [VPC]",
            ),
            ("VPC", "DELETE_FAILED", "The vpc has dependencies"),
            (STACK, "DELETE_IN_PROGRESS", "User Initiated"),
            ("NATGateway", "DELETE_FAILED", "of the deletion before"),
            (STACK, "DELETE_IN_PROGRESS", "User Initiated"),
        ],
        "",
    );
    let aws = Scripted::new(&[(200, &page)]);
    let stacks = aws.caller().await.cloudformation();
    let failed = stacks.failed_resources(ID, StackChange::Delete).await;
    let failed = failed.unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].reason, "The vpc has dependencies");
    aws.calls();
}

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    )
}

#[tokio::test]
async fn a_read_is_made_again_in_place_when_aws_says_slower() {
    let slower = refusal("Throttling", "Rate exceeded");
    let missing = refusal("ValidationError", "Stack with id x does not exist");
    let aws = Scripted::new(&[(400, &slower), (400, &slower), (400, &missing)]);
    let stacks = aws.caller().await.cloudformation();
    assert_eq!(stacks.stack("x").await.unwrap(), None);
    assert_eq!(aws.calls().len(), 3);
}

#[tokio::test]
async fn a_change_is_asked_for_once() {
    let slower = refusal("Throttling", "Rate exceeded");
    let aws = Scripted::new(&[(400, &slower)]);
    let stacks = aws.caller().await.cloudformation();
    let refused = stacks.create_stack(new_stack()).await.unwrap_err();
    assert_eq!(refused.class, Class::Throttled);
    assert_eq!(
        (refused.action, refused.message.as_str()),
        ("CreateStack", "Rate exceeded")
    );
    let calls = aws.calls();
    assert_eq!(calls.len(), 1);
    let sent = |name| calls[0].parameter(name);
    assert_eq!(
        sent("Capabilities.member.1").unwrap(),
        "CAPABILITY_NAMED_IAM"
    );
    assert_eq!(sent("ClientRequestToken").unwrap(), "job-1");
    assert_eq!(sent("Tags.member.1.Key").unwrap(), "team");
    assert_eq!(sent("TemplateBody").unwrap(), "{}");
}

fn new_stack() -> NewStack {
    NewStack {
        name: STACK.to_owned(),
        template: "{}".to_owned(),
        tags: [("team".to_owned(), "platform".to_owned())].into(),
        makes_roles: true,
        client_request_token: "job-1".to_owned(),
    }
}

#[tokio::test]
async fn a_deletion_of_what_is_gone_is_done() {
    let missing = refusal("ValidationError", "Stack [x] does not exist");
    let aws = Scripted::new(&[(400, &missing)]);
    let stacks = aws.caller().await.cloudformation();
    stacks.delete_stack(STACK, "job-1").await.unwrap();
    assert_eq!(
        aws.calls()[0].parameter("ClientRequestToken").unwrap(),
        "job-1"
    );
}

#[tokio::test]
async fn stacks_are_listed_over_all_pages_but_for_deleted_ones() {
    let page = |name: &str, next: &str| {
        format!(
            "<ListStacksResponse><ListStacksResult><StackSummaries><member>\
             <StackId>{name}-id</StackId><StackName>{name}</StackName>\
             <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
             <StackStatus>CREATE_COMPLETE</StackStatus></member></StackSummaries>\
             <NextToken>{next}</NextToken></ListStacksResult></ListStacksResponse>"
        )
    };
    let (first, second) = (page("other", "more"), page("eksctl-prod-1-fargate", ""));
    let aws = Scripted::new(&[(200, &first), (200, &second)]);
    let stacks = aws.caller().await.cloudformation();
    let listed = stacks.stacks_of(CLUSTER).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, "eksctl-prod-1-fargate-id");
    let calls = aws.calls();
    assert!(
        calls[0].body.contains("DELETE_FAILED"),
        "it may be tried again"
    );
    assert!(!calls[0].body.contains("DELETE_COMPLETE"));
}
