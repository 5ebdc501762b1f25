use super::*;

fn eks() -> Circuit {
    Circuit::Service {
        account_id: "111111111111".to_owned(),
        region: "eu-central-1".to_owned(),
        service: Service::Eks,
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Fails until it is open.
fn open(breakers: &Arc<Breakers>, circuit: &Circuit, now: Instant) {
    for _ in 0..circuit.failures_to_open() {
        let pass = breakers.pass(circuit.clone(), now).ok().unwrap();
        pass.failed(now, "503");
    }
}

fn wait(breakers: &Arc<Breakers>, circuit: &Circuit, now: Instant) -> Duration {
    breakers.pass(circuit.clone(), now).err().unwrap().wait
}

#[test]
fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
    let (breakers, now) = (Breakers::new(1.0), Instant::now());
    let pass = || breakers.pass(eks(), now).ok().unwrap();
    for _ in 0..10 {
        pass().failed(now, "503");
        pass().failed(now, "503");
        pass().answered(now);
    }
    assert_eq!(breakers.blocked(&eks(), now), None);
    open(&breakers, &eks(), now);
    let blocked = breakers.blocked(&eks(), now).unwrap();
    assert_eq!((blocked.wait, blocked.cause.as_str()), (seconds(2), "503"));
}

#[test]
fn one_probe_at_a_time_goes_through_and_its_pauses_grow_to_minutes() {
    let (breakers, mut now) = (Breakers::new(1.0), Instant::now());
    open(&breakers, &eks(), now);
    let mut pauses = Vec::new();
    for _ in 0..13 {
        let pause = wait(&breakers, &eks(), now);
        pauses.push(pause.as_secs());
        now += pause;
        let probe = breakers.pass(eks(), now).ok().unwrap();
        assert!(
            wait(&breakers, &eks(), now) > Duration::ZERO,
            "a second one"
        );
        probe.failed(now, "still 503");
    }
    assert_eq!(pauses, [2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 120, 120]);
    let cause = breakers.blocked(&eks(), now).unwrap().cause;
    assert_eq!(cause, "still 503");
}

#[test]
fn a_probe_that_is_answered_closes_it() {
    let (breakers, now) = (Breakers::new(1.0), Instant::now());
    open(&breakers, &eks(), now);
    let later = now + seconds(2);
    breakers.pass(eks(), later).ok().unwrap().answered(later);
    assert_eq!(breakers.blocked(&eks(), later), None);
    breakers
        .pass(eks(), later)
        .ok()
        .unwrap()
        .failed(later, "503");
    assert_eq!(breakers.blocked(&eks(), later), None, "it counts anew");
}

#[test]
fn a_probe_that_was_stopped_leaves_its_place_to_the_next() {
    let (breakers, now) = (Breakers::new(1.0), Instant::now());
    open(&breakers, &eks(), now);
    let later = now + seconds(2);
    drop(breakers.pass(eks(), later).ok().unwrap());
    assert!(breakers.pass(eks(), later).is_ok());
}

#[test]
fn a_call_that_was_under_way_when_it_opened_makes_no_pause_longer() {
    let (breakers, now) = (Breakers::new(1.0), Instant::now());
    let late = breakers.pass(eks(), now).ok().unwrap();
    open(&breakers, &eks(), now);
    late.failed(now + seconds(1), "timed out");
    let blocked = breakers.blocked(&eks(), now + seconds(1)).unwrap();
    assert_eq!((blocked.wait, blocked.cause.as_str()), (seconds(1), "503"));
}

#[test]
fn one_services_trouble_is_no_others() {
    let (breakers, now) = (Breakers::new(1.0), Instant::now());
    open(&breakers, &eks(), now);
    let other = |account: &str, region: &str, service| Circuit::Service {
        account_id: account.to_owned(),
        region: region.to_owned(),
        service,
    };
    for circuit in [
        other("222222222222", "eu-central-1", Service::Eks),
        other("111111111111", "us-east-1", Service::Eks),
        other("111111111111", "eu-central-1", Service::CloudFormation),
        Circuit::WorkerCredentials,
    ] {
        assert!(breakers.pass(circuit.clone(), now).is_ok(), "{circuit:?}");
    }
}

#[test]
fn the_workers_own_credentials_are_in_trouble_at_once_and_not_for_ever() {
    let (breakers, now) = (Breakers::new(1.0), Instant::now());
    assert_eq!(breakers.credentials_trouble(now), None);
    let pass = breakers.pass(Circuit::WorkerCredentials, now).ok().unwrap();
    pass.failed(now, "the token is expired");
    let trouble = breakers.credentials_trouble(now + seconds(60));
    assert_eq!(trouble.as_deref(), Some("the token is expired"));
    let late = breakers.credentials_trouble(now + seconds(3_600));
    assert_eq!(late, None, "nobody has tried for an hour");
}
