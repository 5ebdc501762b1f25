//! Which faults are taken, how often, and which are refused.

use super::*;

/// The start, and a second that takes a hundredth of one.
const CLOCK: (Duration, Duration) = (Duration::ZERO, Duration::from_millis(10));

fn subject(action: &str) -> Subject<'_> {
    Subject {
        action,
        service: Some("eks"),
        account: "111111111111",
        region: "eu-central-1",
        cluster: Some("prod-1"),
        profile: Some("web"),
        stack: None,
        resource: None,
    }
}

fn faults(json: &str) -> Result<Faults, String> {
    let parsed: Vec<Fault> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let mut faults = Faults::default();
    faults.add(parsed, CLOCK)?;
    Ok(faults)
}

#[test]
fn a_fault_serves_as_many_calls_as_it_says() {
    let mut faults = faults(r#"[{"action":"DescribeCluster","times":2,"status":503}]"#).unwrap();
    assert!(faults.take(&subject("ListClusters")).is_none());
    assert!(faults.take(&subject("DescribeCluster")).is_some());
    assert!(faults.take(&subject("DescribeCluster")).is_some());
    assert!(faults.take(&subject("DescribeCluster")).is_none());
}

#[test]
fn every_filter_narrows_it() {
    for other in [
        r#""accountId":"222222222222""#,
        r#""region":"us-east-1""#,
        r#""cluster":"dev-1""#,
        r#""profile":"api""#,
    ] {
        let json = format!(r#"[{{"action":"DeleteFargateProfile",{other},"cut":true}}]"#);
        let mut faults = faults(&json).unwrap();
        assert!(
            faults.take(&subject("DeleteFargateProfile")).is_none(),
            "{other}"
        );
    }
}

#[test]
fn health_waits_for_an_accepted_call() {
    let json = r#"[{"action":"CreateFargateProfile","health":[{"code":"AccessDenied"}]}]"#;
    let mut faults = faults(json).unwrap();
    assert!(faults.take(&subject("CreateFargateProfile")).is_none());
    assert_eq!(
        faults.take_health(&subject("CreateFargateProfile")).len(),
        1
    );
    assert!(
        faults
            .take_health(&subject("CreateFargateProfile"))
            .is_empty()
    );
}

#[test]
fn wrong_faults_are_refused_with_a_sentence() {
    for bad in [
        r#"[{"action":"Nonsense"}]"#,
        r#"[{"action":"ListClusters","unknown":1}]"#,
        r#"[{"action":"ListClusters","status":200}]"#,
        r#"[{"action":"ListClusters","times":0}]"#,
        r#"[{"action":"ListClusters","delayMs":600001}]"#,
        r#"[{"action":"ListClusters","cut":true,"status":500}]"#,
        r#"[{"action":"ListClusters","cut":true,"truncate":true}]"#,
        r#"[{"action":"ListClusters","message":"alone"}]"#,
        r#"[{"action":"ListClusters","setStatus":"NEW"}]"#,
        r#"[{"action":"ListClusters","health":[{"code":"x"}]}]"#,
        "[{}]",
    ] {
        assert!(faults(bad).is_err(), "{bad}");
    }
}

#[test]
fn steps_of_stacks_fail_with_a_message_and_nothing_else() {
    let step = Fault {
        action: "CreateResource".into(),
        stack: Some("s".into()),
        resource: Some("VPC".into()),
        message: Some("no".into()),
        ..Fault::default()
    };
    assert_eq!(step.check(), Ok(()));
    let mute = Fault {
        message: None,
        ..step.clone()
    };
    let answering = Fault {
        status: Some(500),
        ..step.clone()
    };
    let late = Fault {
        delay_ms: Some(1),
        ..step.clone()
    };
    for bad in [mute, answering, late] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
    let mut faults = Faults::default();
    faults.add(vec![step], CLOCK).unwrap();
    let subject = |resource| Subject {
        stack: Some("s"),
        resource: Some(resource),
        ..subject("CreateResource")
    };
    assert!(faults.take(&subject("Subnet")).is_none());
    assert!(faults.take(&subject("VPC")).is_some());
}

#[test]
fn an_outage_of_a_service_meets_all_its_calls_until_its_time_is_over() {
    let json = r#"[{"action":"*","service":"eks","status":503,"forSeconds":60}]"#;
    let mut faults = faults(json).unwrap();
    for _ in 0..100 {
        assert!(faults.take(&subject("DescribeCluster")).is_some());
        assert!(faults.take(&subject("DeleteFargateProfile")).is_some());
    }
    let other = Subject {
        service: Some("ec2"),
        ..subject("DescribeSubnets")
    };
    assert!(faults.take(&other).is_none());
    faults.expire(Duration::from_millis(599));
    assert!(faults.take(&subject("DescribeCluster")).is_some());
    faults.expire(Duration::from_millis(600));
    assert!(faults.take(&subject("DescribeCluster")).is_none());
}

#[test]
fn all_actions_need_a_service_and_times_a_bound() {
    for (json, words) in [
        (r#"[{"action":"*","status":503}]"#, "needs a service"),
        (
            r#"[{"action":"*","service":"eks","status":503,"forSeconds":-1}]"#,
            "forSeconds",
        ),
        (
            r#"[{"action":"*","service":"eks","setStatus":"FAILED"}]"#,
            "setStatus is for",
        ),
    ] {
        let refused = faults(json).unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}
