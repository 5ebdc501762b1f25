//! Many cases, each from a seed of its own, which a failure names.
//!
//! ```text
//! PROPTEST_CASES=100000 cargo test --test it faults::rules
//! PROPTEST_RNG_SEED=17 PROPTEST_CASES=1 cargo test --test it faults::rules
//! ```

use fargate_fleet::rng::Rng;
use proptest::prelude::*;
use proptest::test_runner::{
    Config, RngSeed, TestCaseResult, TestError, TestRunner, contextualize_config,
};

/// Tries `cases` seeds, or as many as `PROPTEST_CASES` says, from `PROPTEST_RNG_SEED` on.
pub fn for_seeds<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> TestCaseResult) {
    let config = contextualize_config(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let first = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => Rng::from_os().below(1 << 32),
    };
    for seed in (first..).take(config.cases as usize) {
        let one = Config {
            cases: 1,
            rng_seed: RngSeed::Fixed(seed),
            max_shrink_iters: u32::MAX,
            max_shrink_time: 20_000,
            ..config.clone()
        };
        if let Err(error) = TestRunner::new(one).run(strategy, &test) {
            let why = match error {
                TestError::Fail(why, smallest) => format!("{why}\nin {smallest:?}"),
                TestError::Abort(why) => why.to_string(),
            };
            panic!("PROPTEST_RNG_SEED={seed} PROPTEST_CASES=1 fails: {why}");
        }
    }
}
