//! F9: the queue in Postgres beside a model of it in memory, through random sequences of what may
//! happen: submissions, claims, writes of the living and of the dead, cancels, repairs; alone, and
//! two at the same time, which must come to the same as one after the other.

mod acts;
mod hand;
mod model;

use std::cell::RefCell;

use proptest::test_runner::TestCaseError;
use tokio::runtime::Builder;

use super::seeds::for_seeds;
use acts::{Act, Given, Op, aim_at, held, ops};
use hand::Hand;
use model::{Company, Model, Phase, Reply};

const WORKERS: usize = 3;

/// A run of one sequence.
struct Run {
    hand: Hand,
    model: Model,
    given: Vec<Given>,
    history: Vec<String>,
}

impl Run {
    async fn new(hand: Hand) -> Self {
        let mut run = Self {
            hand,
            model: Model::default(),
            given: Vec::new(),
            history: Vec::new(),
        };
        for _ in 0..WORKERS {
            let clock = &run.hand.queue.clock;
            let (worker, successor) = (clock.uuid(), clock.uuid());
            run.step(Act::Die { worker, successor }).await.unwrap();
        }
        run
    }

    async fn op(&mut self, op: &Op) -> Result<(), String> {
        let aimed = |op| aim_at(op, &self.model, &self.given, &self.hand.queue.clock);
        let Op::Race(two, meet) = op else {
            return match aimed(op) {
                Some(act) => self.step(act).await,
                None => Ok(()),
            };
        };
        match (aimed(&two.0), aimed(&two.1)) {
            // Writes at the same time are one act already.
            (Some(Act::Write(_)), Some(Act::Write(_))) | (None, None) => Ok(()),
            (Some(a), Some(b)) => self.race([a, b], *meet).await,
            (Some(act), None) | (None, Some(act)) => self.step(act).await,
        }
    }

    /// One act, and nothing beside it.
    async fn step(&mut self, act: Act) -> Result<(), String> {
        self.model.now += 1;
        let reply = self.hand.act(&act, &self.model).await?;
        self.history.push(format!("{act:?} -> {reply:?}"));
        self.model.apply(&act, &reply, Company::Alone)?;
        self.remember(&act, &reply);
        self.hand.compare(&self.model).await
    }

    /// Two acts at once. It is as if one had come after the other, whichever.
    async fn race(&mut self, acts: [Act; 2], meet: bool) -> Result<(), String> {
        self.model.now += 1;
        let replies = self.hand.both(&acts, &self.model, meet).await?;
        for (act, reply) in acts.iter().zip(&replies) {
            self.history.push(format!("at once: {act:?} -> {reply:?}"));
        }
        let mut after = Vec::new();
        for act in acts.iter().filter(|act| act.is_maintenance()) {
            after.push((act, self.hand.act(act, &self.model).await?));
        }
        let mut reasons = Vec::new();
        for order in orders(&acts, &replies) {
            let raced = order.iter().map(|(act, reply)| (act, reply));
            let all = raced.chain(after.iter().map(|(a, r)| (*a, r)));
            match self.explained(all).await {
                Ok(model) => {
                    self.model = model;
                    for (act, reply) in acts.iter().zip(&replies) {
                        self.remember(act, reply);
                    }
                    return Ok(());
                }
                Err(reason) => reasons.push(reason),
            }
        }
        Err(format!("in neither order: {reasons:#?}"))
    }

    /// The model after these acts, one after the other, if the queue stands so.
    async fn explained(&self, acts: impl Iterator<Item = (&Act, &Reply)>) -> Result<Model, String> {
        let mut model = self.model.clone();
        for (act, reply) in acts {
            model.apply(act, reply, Company::Raced)?;
        }
        self.hand.compare(&model).await?;
        Ok(model)
    }

    /// Keeps the leases that were given out, for those who come too late.
    fn remember(&mut self, act: &Act, reply: &Reply) {
        if let (Act::Claim { worker, .. }, Reply::Claimed(claimed)) = (act, reply) {
            for job in claimed {
                let at = self.model.jobs.iter().position(|known| known.id == job.id);
                self.given.push((at.unwrap(), *worker, job.token));
            }
        }
    }

    /// Everything that is left can be brought to its end.
    async fn settle(&mut self) -> Result<(), String> {
        self.step(Act::Enable).await?;
        for worker in self.model.alive.clone() {
            let successor = self.hand.queue.clock.uuid();
            self.step(Act::Die { worker, successor }).await?;
        }
        self.step(Act::Repair).await?;
        let unfinished = |model: &Model| model.jobs.iter().any(|job| job.phase != Phase::Finished);
        for _ in 0..=self.model.jobs.len() {
            if !unfinished(&self.model) {
                break;
            }
            for job in 0..self.model.jobs.len() {
                if self.model.jobs[job].phase == (Phase::Parked { due: false }) {
                    self.step(Act::Elapse(job)).await?;
                }
            }
            self.step(Act::Due).await?;
            let worker = self.model.alive[0];
            self.step(Act::Claim { worker, limit: 400 }).await?;
            let ends = held(&self.model, &self.given).map(acts::Written::success);
            let ends = ends.collect();
            self.step(Act::Write(ends)).await?;
        }
        if unfinished(&self.model) {
            return Err("something never ends".to_owned());
        }
        self.hand.queue.database.assert_settled().await;
        Ok(())
    }
}

/// The orders in which two acts may have come. A repair passes over the rows that a write has locked: it
/// may come between the jobs of one write.
fn orders(acts: &[Act; 2], replies: &[Reply; 2]) -> Vec<Vec<(Act, Reply)>> {
    let both = [0, 1].map(|at| (acts[at].clone(), replies[at].clone()));
    let [first, second] = both;
    let mut orders = vec![
        vec![first.clone(), second.clone()],
        vec![second.clone(), first.clone()],
    ];
    for (write, other) in [(&first, &second), (&second, &first)] {
        if let (Act::Write(writes), Reply::Written(answers)) = write
            && other.0.is_maintenance()
        {
            let part = |some: &dyn Fn(usize) -> bool| {
                let at = (0..writes.len()).filter(|at| some(*at));
                let (writes, answers) = at.map(|at| (writes[at].clone(), answers[at])).unzip();
                (Act::Write(writes), Reply::Written(answers))
            };
            for before in 1..(1_usize << writes.len()) - 1 {
                let is_before = |at: usize| before & (1 << at) != 0;
                let parts = (part(&is_before), part(&|at| !is_before(at)));
                orders.push(vec![parts.0, other.clone(), parts.1]);
            }
        }
    }
    orders
}

#[test]
fn the_queue_does_what_its_model_does() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    // A database serves one sequence after the other, until one fails in it.
    let spare: RefCell<Option<Hand>> = RefCell::new(None);
    for_seeds(200, &ops(), |ops| {
        runtime.block_on(async {
            let hand = spare.borrow_mut().take();
            let hand = match hand {
                Some(hand) => hand,
                None => Hand::new().await,
            };
            let mut run = Run::new(hand).await;
            let outcome = async {
                for op in &ops {
                    run.op(op).await?;
                }
                run.settle().await
            };
            if let Err(reason) = outcome.await {
                let history = run.history.join("\n");
                return Err(TestCaseError::fail(format!("{reason}\nafter\n{history}")));
            }
            spare.replace(Some(run.hand));
            Ok(())
        })
    });
}
