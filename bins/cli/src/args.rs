//! The command line: flags of all commands, and which commands there are.

use crate::commands::{audit, completion, explain, iam, kms, man, policy};
use crate::commands::{cp, export, import, mv, run, status, tree};
use crate::commands::{delete, describe, destroy, diff, get, history, login, logout, ls, patch, put, regions, rotate};
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Parser, Subcommand};
use core::time::Duration;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Environment: STRONGROOM_ADDR, STRONGROOM_TOKEN, STRONGROOM_ACCESS_KEY and STRONGROOM_ACCESS_SECRET, STRONGROOM_ORGANISATION, \
STRONGROOM_PROJECT, STRONGROOM_REGION, STRONGROOM_KMS_KEY, STRONGROOM_PROFILE, STRONGROOM_CONFIG, STRONGROOM_CA_CERTIFICATE, \
STRONGROOM_ALLOW_PLAIN_HTTP, STRONGROOM_TIMEOUT. A flag goes before the environment, \
the environment before the profile. THALASSA_* variables of existing clients are understood where no STRONGROOM_* variable is set.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 denied, 5 conflict, 6 the server can't be reached or is not ready, \
7 partly done, 126 the command that `run` was given can't be run, 127 there is no such command, 130 interrupted, \
141 nobody reads the output, 128+N ended by signal N.";

/// Secrets, keys and access, by hand and in scripts.
#[derive(Parser)]
#[command(name = "strongroom", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct GlobalArgs {
    /// The profile of the configuration file [env: STRONGROOM_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The server, as `https://HOST[:PORT]` [env: STRONGROOM_ADDR]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) address: Option<String>,
    /// The organisation, by slug or identity [env: STRONGROOM_ORGANISATION]
    #[arg(long, global = true, value_name = "ORGANISATION")]
    pub(crate) organisation: Option<String>,
    /// The project, by slug or identity [env: STRONGROOM_PROJECT]
    #[arg(long, global = true, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// The region, by slug or identity [env: STRONGROOM_REGION; default: the server's only one]
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// One JSON document on standard output, errors as JSON on standard error; not for completion and manual pages, and a line each where the audit log is followed or exported
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No colours, also on a terminal [env: NO_COLOR]
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// How long one call may take, such as 500ms, 10s or 2m [env: STRONGROOM_TIMEOUT; default: 30s]
    #[arg(long, global = true, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// A file of PEM certificates to trust instead of those of the system [env: STRONGROOM_CA_CERTIFICATE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_certificate: Option<PathBuf>,
    /// Speak to another machine without TLS: token and values can be read on the way [env: STRONGROOM_ALLOW_PLAIN_HTTP]
    #[arg(long, global = true)]
    pub(crate) allow_plain_http: bool,
}

/// A command: its arguments stand in the file of its name, its line in [`Command::run`] below.
#[derive(Subcommand)]
pub(crate) enum Command {
    Login(login::LoginArgs),
    Logout(logout::LogoutArgs),
    Status(status::StatusArgs),
    Get(get::GetArgs),
    Put(put::PutArgs),
    Ls(ls::LsArgs),
    Tree(tree::TreeArgs),
    Describe(describe::DescribeArgs),
    History(history::HistoryArgs),
    Diff(diff::DiffArgs),
    Rotate(rotate::RotateArgs),
    Cp(cp::CpArgs),
    Mv(mv::MvArgs),
    Patch(patch::PatchArgs),
    Destroy(destroy::DestroyArgs),
    Delete(delete::DeleteArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Run(run::RunArgs),
    Policy(policy::PolicyArgs),
    Kms(kms::KmsArgs),
    Iam(iam::IamArgs),
    Explain(explain::ExplainArgs),
    Audit(audit::AuditArgs),
    Regions(regions::RegionsArgs),
    Completion(completion::CompletionArgs),
    Man(man::ManArgs),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Login(args) => login::run(args, context).await,
            Self::Logout(args) => logout::run(args, context).await,
            Self::Status(args) => status::run(args, context).await,
            Self::Get(args) => get::run(args, context).await,
            Self::Put(args) => put::run(args, context).await,
            Self::Ls(args) => ls::run(args, context).await,
            Self::Tree(args) => tree::run(args, context).await,
            Self::Describe(args) => describe::run(args, context).await,
            Self::History(args) => history::run(args, context).await,
            Self::Diff(args) => diff::run(args, context).await,
            Self::Rotate(args) => rotate::run(args, context).await,
            Self::Cp(args) => cp::run(args, context).await,
            Self::Mv(args) => mv::run(args, context).await,
            Self::Patch(args) => patch::run(args, context).await,
            Self::Destroy(args) => destroy::run(args, context).await,
            Self::Delete(args) => delete::run(args, context).await,
            Self::Export(args) => export::run(args, context).await,
            Self::Import(args) => import::run(args, context).await,
            Self::Run(args) => run::run(args, context).await,
            Self::Policy(args) => policy::run(args, context).await,
            Self::Kms(args) => kms::run(args, context).await,
            Self::Iam(args) => iam::run(args, context).await,
            Self::Explain(args) => explain::run(args, context).await,
            Self::Audit(args) => audit::run(args, context).await,
            Self::Regions(args) => regions::run(args, context).await,
            Self::Completion(args) => completion::run(&args, context),
            Self::Man(args) => man::run(&args, context),
        }
    }
}

/// A time with its unit: `500ms`, `10s`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    const RULE: &str = "a number with its unit, such as 500ms, 10s, 2m or 1h";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| RULE)?;
    let milliseconds = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(RULE),
    };
    number.checked_mul(milliseconds).filter(|time| *time > 0).map(Duration::from_millis).ok_or(RULE)
}

#[cfg(test)]
mod tests {
    use super::{Cli, duration};
    use clap::CommandFactory;
    use core::time::Duration;

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "10", "0s", "s", "1.5s", "-1s", "1d", "18446744073709551615h", "1ß"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_flag_takes_a_token_or_a_value() {
        let command = Cli::command();
        let flags = command.get_subcommands().flat_map(clap::Command::get_arguments).chain(command.get_arguments());
        for flag in flags.filter(|flag| flag.get_action().takes_values()) {
            let name = flag.get_id().as_str();
            assert!(!["token", "value", "password", "access_secret"].contains(&name), "--{name}");
        }
    }
}
