#![doc = include_str!("../README.md")]

mod answer;
mod audit;
mod builder;
mod call;
mod client;
mod credentials;
mod error;
mod filter;
mod iam;
mod kms;
mod me;
mod pages;
mod plain;
mod projects;
mod regions;
mod retry;
mod secrets;
mod token;
mod transport;
mod value;

pub use answer::Answer;
pub use audit::{Audit, AuditFilter};
pub use builder::ClientBuilder;
pub use call::Call;
pub use client::Client;
pub use credentials::{Credentials, SubjectSource};
pub use error::{ApiError, Error, ErrorKind};
pub use filter::Filter;
pub use iam::{
    AccessCredentials, Bindings, FederatedIdentities, Iam, IdentityProviders, Memberships, Roles, Rules,
    ServiceAccounts, TeamMembers, Teams, UserTokens, Users,
};
pub use kms::{Kms, KmsKeys};
pub use me::MyAccount;
pub use pages::Items;
pub use plain::{Plain, Sensitive};
pub use projects::Projects;
pub use regions::Regions;
pub use retry::Retries;
pub use secrets::{Delete, Entry, NewSecret, PutOptions, Refused, RevealOutcome, RevealedItem, Secrets};
pub use value::{NewValue, Revealed, Value};

pub use reqwest::Method;
/// The types of requests and answers.
pub use strongroom_api as api;
