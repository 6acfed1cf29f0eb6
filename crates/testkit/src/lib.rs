#![doc = include_str!("../README.md")]

mod altered_log;
pub mod build;
mod clock;
pub mod contract;
mod entropy;
mod faulty;
mod ids;
pub mod kms;
pub mod model;
mod signer;
pub mod strategy;
pub mod units;

pub use altered_log::{AlterLog, AlteredLog};
pub use clock::{MachineClock, ManualClock};
pub use entropy::{FailingEntropy, SeededEntropy};
pub use faulty::{Faults, Faulty, FaultyKms, Meanwhile, When};
pub use ids::SequentialIds;
pub use signer::FixedSigner;
