#![doc = include_str!("../README.md")]

mod answers;
pub mod audit;
mod authenticate;
mod cache;
mod directory;
pub mod embed;
mod engine;
mod enter;
mod envelope;
mod error;
mod failures;
mod floods;
mod gates;
mod generations;
mod housekeeping;
pub mod iam;
pub mod kms;
mod metrics;
pub mod oidc;
pub mod recover;
mod regions;
pub mod secret;
mod session;
pub mod setup;
mod signing_key;
pub mod system;

pub use answers::{Idempotency, Outcome};
pub use engine::{AuditKeyPorts, CredentialPorts, Engine, Limits, Ports};
pub use envelope::ValueInput;
pub use error::{Code, Error};
pub use session::{Identified, Needs, OrganisationSession, Reached, Service, Session, Target};
pub use strongroom_domain as domain;

/// The program in the README of the repository, which is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;
