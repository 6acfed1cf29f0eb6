//! Names from the server, for a shell that completes a word.

use crate::args::GlobalArgs;
use crate::commands::path;
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::Terminal;
use clap_complete::engine::{CompletionCandidate, ValueCompleter};
use core::time::Duration;
use futures_util::{StreamExt, TryStreamExt};
use std::ffi::OsStr;
use std::path::PathBuf;
use strongroom_client::Filter;

/// How long the server has to answer: nobody waits longer for a tabulator.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many names a person can look through.
const MOST: usize = 500;

/// What is wanted.
#[derive(Clone, Copy)]
pub(super) enum Names {
    /// Directories and secrets.
    Paths,
    /// Slugs of KMS keys.
    Keys,
    /// Slugs of regions.
    Regions,
}

impl ValueCompleter for Names {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let found = current.to_str().and_then(|current| self.look_up(current));
        found.unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
    }
}

impl Names {
    /// Names that begin so; none when anything is wrong, since there is nowhere to say it.
    fn look_up(self, current: &str) -> Option<Vec<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let words = std::env::args_os().filter_map(|word| word.into_string().ok());
        let context = Context::new(globals(&typed(words)), Terminal::find(false, true));
        let names = runtime.block_on(async { tokio::time::timeout(PATIENCE, self.ask(&context, current)).await });
        // A look-up of a name may still run on a thread of its own.
        runtime.shutdown_background();
        names.ok()?.ok()
    }

    async fn ask(self, context: &Context, current: &str) -> Result<Vec<String>, Failure> {
        let names: Vec<String> = match self {
            Self::Paths => return paths(context, current).await,
            Self::Keys => {
                let kms = context.client()?.kms(context.region().await?);
                kms.keys().list(&Filter::all()).await?.into_iter().map(|key| key.slug).collect()
            }
            Self::Regions => {
                let regions = context.client()?.regions().list(&Filter::all()).await?;
                regions.into_iter().map(|region| region.slug).collect()
            }
        };
        // They go into a command line.
        let is_plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        Ok(names.into_iter().filter(is_plain).filter(|name| name.starts_with(current)).take(MOST).collect())
    }
}

/// What stands in the directory of the path that is being typed, and begins as it does.
async fn paths(context: &Context, current: &str) -> Result<Vec<String>, Failure> {
    let is_rooted = current.starts_with('/');
    let typed = current.rfind('/').map_or("", |end| &current[..=end]);
    let Ok(directory) = path::directory(typed) else { return Ok(Vec::new()) };
    let beginning = if is_rooted { current.to_owned() } else { format!("/{current}") };
    let entries = context.secrets().await?.browse(&directory).map_ok(|entry| entry.path().to_owned());
    // They come in the order of their bytes: none behind those that begin so does.
    let until =
        entries.try_take_while(|path| core::future::ready(Ok(*path <= beginning || path.starts_with(&beginning))));
    let wanted =
        until.try_filter(|path| core::future::ready(path.starts_with(&beginning) && path::directory(path).is_ok()));
    let paths = wanted.take(MOST).try_collect::<Vec<_>>().await?;
    let as_typed = |path: String| if is_rooted || current.is_empty() { path } else { path[1..].to_owned() };
    Ok(paths.into_iter().map(as_typed).collect())
}

/// The words that are of this program. The shell calls `strongroom -- WORD…`, with the command line that is completed behind the first
/// `--`; what follows another one there belongs to the command that `run` runs.
fn typed(words: impl Iterator<Item = String>) -> Vec<String> {
    words.skip_while(|word| word != "--").skip(2).take_while(|word| word != "--").collect()
}

/// The flags of every command, of a command line that isn't finished yet.
fn globals(words: &[String]) -> GlobalArgs {
    let value = |flag: &str| {
        let mut words = words.iter();
        loop {
            let word = words.next()?;
            if word == flag {
                return words.next().cloned();
            }
            if let Some(value) = word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.to_owned());
            }
        }
    };
    GlobalArgs {
        profile: value("--profile"),
        address: value("--address"),
        organisation: value("--organisation"),
        project: value("--project"),
        region: value("--region"),
        json: false,
        no_color: true,
        timeout: Some(PATIENCE),
        ca_certificate: value("--ca-certificate").map(PathBuf::from),
        allow_plain_http: words.iter().any(|word| word == "--allow-plain-http"),
    }
}

#[cfg(test)]
mod tests {
    use super::{globals, typed};
    use crate::args::GlobalArgs;

    fn of(words: &[&str]) -> GlobalArgs {
        globals(&typed(words.iter().map(|&word| word.to_owned())))
    }

    #[test]
    fn flags_of_an_unfinished_line_count() {
        let words = ["strongroom", "--", "strongroom", "get", "--profile", "prod", "--region=nl-01", "/app/"];
        let globals = of(&words);
        assert_eq!((globals.profile.as_deref(), globals.region.as_deref()), (Some("prod"), Some("nl-01")));
        assert!(globals.address.is_none());
    }

    #[test]
    fn flags_of_another_command_do_not_count() {
        let own = ["strongroom", "--", "strongroom", "run", "--region", "nl-01", "--path", "/app/"];
        let other = ["--", "aws", "--profile", "prod", "--address", "https://other.example", "--region=x"];
        for other in [&other[..], &["--", "x", "--", "--profile=prod", "--address=y", "--allow-plain-http"]] {
            let globals = of(&[&own, other].concat());
            assert_eq!(globals.region.as_deref(), Some("nl-01"));
            assert!(globals.profile.is_none() && globals.address.is_none() && !globals.allow_plain_http);
        }
        // Nor a `--` that a flag of this program waits for a value at.
        assert!(of(&["strongroom", "--", "strongroom", "run", "--address", "--", "x"]).address.is_none());
        assert!(of(&["strongroom", "--address", "x", "--", "strongroom", "ls"]).address.is_none());
    }
}
