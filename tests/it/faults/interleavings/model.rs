//! The queue as a few rules in memory: lanes are first come first served with one head, a lease is
//! fenced, a cancel sticks. The real queue must answer and stand as this one does.

use fargate_fleet::queue::cancel::Canceled;
use fargate_fleet::queue::outcome::Next;
use uuid::Uuid;

use super::acts::{Act, Written};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Ready,
    Blocked,
    Leased,
    Parked { due: bool },
    Finished,
}

/// What the model knows of a job.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: Uuid,
    pub account: usize,
    pub lane: Option<u8>,
    pub phase: Phase,
    pub state: &'static str,
    pub worker: Option<Uuid>,
    pub token: i64,
    cancel_requested: bool,
    asked: bool,
    accepted: bool,
    /// The act that made it ready.
    ready_since: usize,
}

/// A claimed job, as far as the model knows jobs.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: Uuid,
    pub token: i64,
    pub flags: Flags,
}

/// What a step is told about what was asked of its job before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    pub cancel_requested: bool,
    pub asked: bool,
    pub accepted: bool,
}

/// What the real queue answered.
#[derive(Debug, Clone)]
pub enum Reply {
    Silent,
    Claimed(Vec<Claimed>),
    /// `stop`, or none when refused.
    Written(Vec<Option<bool>>),
    Count(u64),
    Canceled(Canceled),
}

/// How closely a reply is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Nothing else ran.
    Alone,
    /// Another act ran at the same time: what it has locked may be passed over.
    Raced,
}

#[derive(Debug, Clone, Default)]
pub struct Model {
    pub jobs: Vec<Job>,
    /// Workers whose heartbeat is fresh.
    pub alive: Vec<Uuid>,
    pub disabled: Vec<usize>,
    /// The number of the act.
    pub now: usize,
}

impl Model {
    /// Moves as the act moves the queue; says what the queue got wrong in its reply.
    pub fn apply(&mut self, act: &Act, reply: &Reply, company: Company) -> Result<(), String> {
        match (act, reply) {
            (Act::Submit(jobs), Reply::Silent) => {
                for new in jobs {
                    self.submit(new.id, new.account, new.lane);
                }
                Ok(())
            }
            (Act::Claim { worker, limit }, Reply::Claimed(claimed)) => {
                self.claim(*worker, *limit, claimed, company)
            }
            (Act::Write(writes), Reply::Written(answers)) => {
                let expected: Vec<Option<bool>> =
                    writes.iter().map(|write| self.write(write)).collect();
                same(&expected, answers)
            }
            (Act::Due, Reply::Count(woken)) => {
                let due = |job: &Job| job.phase == Phase::Parked { due: true };
                self.counted(due, |_| {}, *woken, company)
            }
            (Act::Repair, Reply::Count(rescued)) => {
                let alive = self.alive.clone();
                let lost = move |job: &Job| job.worker.is_some_and(|id| !alive.contains(&id));
                self.counted(lost, handed_back, *rescued, company)
            }
            (Act::Release { worker, but }, Reply::Count(released)) => {
                let unknown = |job: &Job| job.worker == Some(*worker) && !but.contains(&job.id);
                self.counted(unknown, handed_back, *released, company)
            }
            (Act::Cancel(job), Reply::Canceled(canceled)) => {
                let expected = self.cancel(*job);
                same(&expected, canceled)
            }
            (Act::Elapse(job), Reply::Silent) => {
                if let Phase::Parked { due } = &mut self.jobs[*job].phase {
                    *due = true;
                }
                Ok(())
            }
            (Act::Die { worker, successor }, Reply::Silent) => {
                self.alive.retain(|id| id != worker);
                self.alive.push(*successor);
                Ok(())
            }
            (Act::Disable(account), Reply::Silent) => {
                self.disabled.push(*account);
                Ok(())
            }
            (Act::Enable, Reply::Silent) => {
                self.disabled.clear();
                Ok(())
            }
            (act, reply) => Err(format!("{act:?} can't answer {reply:?}")),
        }
    }

    fn submit(&mut self, id: Uuid, account: usize, lane: Option<u8>) {
        let taken = self.jobs.iter().any(|job| {
            lane.is_some()
                && (job.account, job.lane) == (account, lane)
                && job.phase != Phase::Finished
        });
        self.jobs.push(Job {
            id,
            account,
            lane,
            phase: if taken { Phase::Blocked } else { Phase::Ready },
            state: "queued",
            worker: None,
            token: 0,
            cancel_requested: false,
            asked: false,
            accepted: false,
            ready_since: self.now,
        });
    }

    fn claimable(&self, job: &Job) -> bool {
        job.phase == Phase::Ready && !self.disabled.contains(&job.account)
    }

    fn claim(
        &mut self,
        worker: Uuid,
        limit: usize,
        claimed: &[Claimed],
        company: Company,
    ) -> Result<(), String> {
        if claimed.len() > limit {
            return Err(format!("claimed more than {limit}"));
        }
        let taken = |job: &Job| claimed.iter().any(|c| c.id == job.id);
        if company == Company::Alone {
            self.is_fair(limit, &taken)?;
        }
        for Claimed { id, token, flags } in claimed {
            let at = self.at(*id).ok_or("claimed a job that nobody enqueued")?;
            if !self.claimable(&self.jobs[at]) {
                return Err(format!("claimed {:?}", self.jobs[at]));
            }
            let job = &mut self.jobs[at];
            if *token <= job.token {
                return Err(format!("token {token} does not fence off {}", job.token));
            }
            same(&job.flags(), flags)?;
            let canceling = job.cancel_requested && !job.accepted;
            job.state = if canceling { "canceling" } else { "running" };
            (job.phase, job.token, job.worker) = (Phase::Leased, *token, Some(worker));
        }
        Ok(())
    }

    /// First come, first served inside an account; each account its even share at least.
    fn is_fair(&self, limit: usize, taken: &impl Fn(&Job) -> bool) -> Result<(), String> {
        let ready: Vec<&Job> = self.jobs.iter().filter(|job| self.claimable(job)).collect();
        let mut accounts: Vec<usize> = ready.iter().map(|job| job.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        for account in &accounts {
            let of_account = ready.iter().filter(|job| job.account == *account);
            let (got, left): (Vec<&Job>, Vec<&Job>) = of_account.partition(|job| taken(job));
            let share = (limit / accounts.len()).min(got.len() + left.len());
            if got.len() < share {
                return Err(format!("account {account} got {} of {share}", got.len()));
            }
            let last = got.iter().map(|job| job.ready_since).max();
            let first = left.iter().map(|job| job.ready_since).min();
            if last.zip(first).is_some_and(|(last, first)| last > first) {
                return Err(format!(
                    "account {account}: first come was not first served"
                ));
            }
        }
        if limit > 0 && !ready.is_empty() && !ready.iter().any(|job| taken(job)) {
            return Err("claimed nothing of what is ready".to_owned());
        }
        Ok(())
    }

    /// What the write is answered.
    fn write(&mut self, write: &Written) -> Option<bool> {
        let job = &mut self.jobs[write.job];
        if (job.worker, job.token) != (Some(write.worker), write.token) {
            return None;
        }
        job.asked |= write.asked;
        job.accepted |= write.accepted;
        let stop = job.cancel_requested && !job.accepted;
        let (phase, state) = match write.next {
            Next::Leased => {
                job.state = if stop { "canceling" } else { "running" };
                return Some(stop);
            }
            Next::Parked if stop && !job.asked => (Phase::Finished, "canceled"),
            Next::Parked => (
                Phase::Parked { due: write.due },
                if stop { "canceling" } else { "waiting" },
            ),
            Next::Succeeded => (Phase::Finished, "succeeded"),
            Next::Failed => (Phase::Finished, "failed"),
            Next::Canceled => (Phase::Finished, "canceled"),
        };
        (job.phase, job.state, job.worker) = (phase, state, None);
        self.promote(write.job);
        Some(stop)
    }

    /// When a job has left its lane, the next of it becomes the head.
    fn promote(&mut self, ended: usize) {
        let (account, lane) = (self.jobs[ended].account, self.jobs[ended].lane);
        if self.jobs[ended].phase != Phase::Finished || lane.is_none() {
            return;
        }
        let in_lane = |job: &&mut Job| {
            (job.account, job.lane) == (account, lane) && job.phase != Phase::Finished
        };
        let now = self.now;
        if let Some(next) = self.jobs.iter_mut().find(in_lane)
            && next.phase == Phase::Blocked
        {
            next.ready(now);
        }
    }

    fn cancel(&mut self, at: usize) -> Canceled {
        let now = self.now;
        let job = &mut self.jobs[at];
        if job.phase == Phase::Finished {
            return Canceled::AlreadyFinished;
        }
        job.cancel_requested = true;
        if job.accepted {
            return Canceled::TooLate;
        }
        if job.phase == Phase::Leased || job.asked {
            job.state = "canceling";
            if matches!(job.phase, Phase::Parked { .. }) {
                job.ready(now);
            }
            return Canceled::Requested;
        }
        (job.phase, job.state) = (Phase::Finished, "canceled");
        self.promote(at);
        Canceled::Now
    }

    /// Makes ready whom it concerns.
    fn counted(
        &mut self,
        concerns: impl Fn(&Job) -> bool,
        change: impl Fn(&mut Job),
        count: u64,
        company: Company,
    ) -> Result<(), String> {
        let mut expected = 0;
        for job in self.jobs.iter_mut().filter(|job| concerns(job)) {
            change(job);
            job.ready(self.now);
            expected += 1;
        }
        match company {
            Company::Alone => same(&expected, &count),
            Company::Raced => Ok(()),
        }
    }

    fn at(&self, id: Uuid) -> Option<usize> {
        self.jobs.iter().position(|job| job.id == id)
    }
}

impl Job {
    fn ready(&mut self, now: usize) {
        (self.phase, self.ready_since) = (Phase::Ready, now);
    }

    const fn flags(&self) -> Flags {
        Flags {
            cancel_requested: self.cancel_requested,
            asked: self.asked,
            accepted: self.accepted,
        }
    }
}

fn handed_back(job: &mut Job) {
    job.worker = None;
    let canceling = job.cancel_requested && !job.accepted;
    job.state = if canceling { "canceling" } else { "waiting" };
}

fn same<T: PartialEq + std::fmt::Debug>(expected: &T, found: &T) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, found {found:?}"))
    }
}
