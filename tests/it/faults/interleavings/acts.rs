//! What may happen to the queue: drawn at random first, then aimed at what is there.

use fargate_fleet::clock::Clock;
use fargate_fleet::queue::outcome::Next;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use super::model::{Model, Phase};

const ACCOUNTS: usize = 2;
const LANES: u8 = 3;

/// Drawn, and aimed at nothing yet.
#[derive(Debug, Clone)]
pub enum Op {
    Submit(Vec<(usize, Option<u8>)>),
    Claim(Index, usize),
    Write(Vec<(Aim, What)>),
    Due,
    Cancel(Index),
    Repair,
    Release(Index, Index),
    Elapse(Index),
    Die(Index),
    Disable(usize),
    Enable,
    /// Two at once; `true` when both shall meet at the lock of their lane.
    Race(Box<(Op, Op)>, bool),
}

/// Which lease a write names.
#[derive(Debug, Clone)]
pub enum Aim {
    Held(Index),
    Any(Index),
}

/// What it writes.
#[derive(Debug, Clone)]
pub struct What {
    next: Next,
    asked: bool,
    accepted: bool,
    due: bool,
}

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Act {
    /// One request a job, all at once.
    Submit(Vec<New>),
    Claim {
        worker: Uuid,
        limit: usize,
    },
    /// All at once.
    Write(Vec<Written>),
    Due,
    Cancel(usize),
    Repair,
    Release {
        worker: Uuid,
        but: Vec<Uuid>,
    },
    /// Time passes until the job is due.
    Elapse(usize),
    /// A heartbeat stops, and another worker registers.
    Die {
        worker: Uuid,
        successor: Uuid,
    },
    Disable(usize),
    Enable,
}

#[derive(Debug, Clone)]
pub struct New {
    pub id: Uuid,
    pub account: usize,
    pub lane: Option<u8>,
}

#[derive(Debug, Clone)]
pub struct Written {
    pub job: usize,
    pub worker: Uuid,
    pub token: i64,
    pub next: Next,
    pub asked: bool,
    pub accepted: bool,
    pub due: bool,
}

/// A lease that was given out: job, worker, token.
pub type Given = (usize, Uuid, i64);

impl Act {
    /// Run beside another, it may pass over what that one holds, and finds it the next time.
    pub const fn is_maintenance(&self) -> bool {
        matches!(self, Self::Due | Self::Repair | Self::Release { .. })
    }
}

impl Written {
    pub const fn success((job, worker, token): Given) -> Self {
        Self {
            job,
            worker,
            token,
            next: Next::Succeeded,
            asked: false,
            accepted: false,
            due: false,
        }
    }
}

/// The leases that hold.
pub fn held(model: &Model, given: &[Given]) -> impl Iterator<Item = Given> {
    given.iter().copied().filter(|(job, _, token)| {
        let job = &model.jobs[*job];
        job.phase == Phase::Leased && job.token == *token
    })
}

/// A sequence of what may happen.
pub fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        30 => alone(),
        10 => (alone(), alone(), any::<bool>()).prop_map(|(a, b, meet)| Op::Race(Box::new((a, b)), meet)),
        2 => any::<Index>().prop_map(Op::Elapse),
        2 => any::<Index>().prop_map(Op::Die),
        1 => (0..ACCOUNTS).prop_map(Op::Disable),
        2 => Just(Op::Enable),
    ];
    vec(op, 30..50)
}

fn alone() -> impl Strategy<Value = Op> {
    let lane = prop_oneof![4 => (0..LANES).prop_map(Some), 1 => Just(None)];
    prop_oneof![
        4 => vec((0..ACCOUNTS, lane), 1..5).prop_map(Op::Submit),
        6 => (any::<Index>(), 0..6_usize).prop_map(|(worker, limit)| Op::Claim(worker, limit)),
        8 => vec((aim(), what()), 1..5).prop_map(Op::Write),
        3 => Just(Op::Due),
        3 => any::<Index>().prop_map(Op::Cancel),
        2 => Just(Op::Repair),
        1 => any::<(Index, Index)>().prop_map(|(worker, but)| Op::Release(worker, but)),
    ]
}

fn aim() -> impl Strategy<Value = Aim> {
    prop_oneof![
        4 => any::<Index>().prop_map(Aim::Held),
        1 => any::<Index>().prop_map(Aim::Any),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let next = prop_oneof![
        2 => Just(Next::Leased),
        3 => Just(Next::Parked),
        2 => Just(Next::Succeeded),
        1 => Just(Next::Failed),
        1 => Just(Next::Canceled),
    ];
    let flags = (
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.7),
    );
    (next, flags).prop_map(|(next, (asked, accepted, due))| What {
        next,
        asked,
        accepted,
        due,
    })
}

/// Aims an op at what is there; none when there is nothing to aim at.
pub fn aim_at(op: &Op, model: &Model, given: &[Given], clock: &Clock) -> Option<Act> {
    let some = |index: &Index, len: usize| (len > 0).then(|| index.index(len));
    Some(match op {
        Op::Submit(jobs) => {
            let new = |(account, lane): &(usize, Option<u8>)| New {
                id: clock.uuid(),
                account: *account,
                lane: *lane,
            };
            Act::Submit(jobs.iter().map(new).collect())
        }
        Op::Claim(worker, limit) => Act::Claim {
            worker: model.alive[worker.index(model.alive.len())],
            limit: *limit,
        },
        Op::Write(writes) => Act::Write(writes_at(writes, model, given)?),
        Op::Due => Act::Due,
        Op::Cancel(job) => Act::Cancel(some(job, model.jobs.len())?),
        Op::Repair => Act::Repair,
        Op::Release(worker, but) => Act::Release {
            worker: model.alive[worker.index(model.alive.len())],
            but: vec![model.jobs[some(but, model.jobs.len())?].id],
        },
        Op::Elapse(job) => Act::Elapse(some(job, model.jobs.len())?),
        Op::Die(worker) => Act::Die {
            worker: model.alive[worker.index(model.alive.len())],
            successor: clock.uuid(),
        },
        Op::Disable(account) => Act::Disable(*account),
        Op::Enable => Act::Enable,
        Op::Race(..) => return None,
    })
}

fn writes_at(writes: &[(Aim, What)], model: &Model, given: &[Given]) -> Option<Vec<Written>> {
    let held: Vec<Given> = held(model, given).collect();
    let mut aimed: Vec<Written> = Vec::new();
    for (aim, what) in writes {
        let (leases, index) = match aim {
            Aim::Held(index) => (held.as_slice(), index),
            Aim::Any(index) => (given, index),
        };
        if leases.is_empty() {
            continue;
        }
        let (job, worker, token) = *index.get(leases);
        // A step makes one write at a time.
        if aimed.iter().any(|w| (w.job, w.token) == (job, token)) {
            continue;
        }
        aimed.push(Written {
            job,
            worker,
            token,
            next: what.next,
            asked: what.asked,
            accepted: what.accepted,
            due: what.due,
        });
    }
    (!aimed.is_empty()).then_some(aimed)
}
