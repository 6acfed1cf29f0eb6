//! Cases for [`Committer`](strongroom_domain::port::Committer): what holds for all units, then every change by what it changes.

mod answers;
mod audit;
mod directory;
mod expectations;
mod keys;
mod secrets;
mod tenancy;
mod units;

pub use answers::*;
pub use audit::*;
pub use directory::*;
pub use expectations::*;
pub use keys::*;
pub use secrets::*;
pub use tenancy::*;
pub use units::*;
