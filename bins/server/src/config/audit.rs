//! `[audit]`: how long records are kept, and where they and their checkpoints are sent.

use super::reader::{Entry, Problems, Section};
use super::root_key::{SecretSource, secret};
use super::{number, path, set};
use core::time::Duration;
use std::path::{Path, PathBuf};
use strongroom_audit_sinks::{Facility, FileOptions, HttpOptions, SyslogAddress, SyslogOptions, check_url};
use strongroom_domain::audit::SinkName;

/// The longest that records are kept by age, in days: a hundred years.
const MAX_RETENTION_DAYS: u64 = 36_500;
/// The largest file, in MiB: 1 TiB.
const MAX_ROTATE_MIB: u64 = 1024 * 1024;
/// The most full files that are kept.
const MAX_KEEP: u64 = 10_000;
/// The longest that one delivery may take, in seconds.
const MAX_TIMEOUT_SECONDS: u64 = 60;
/// The most sinks.
const MAX_SINKS: usize = 16;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuditConfig {
    /// `None` keeps records for ever.
    pub(crate) retention_days: Option<u32>,
    pub(crate) sinks: Vec<SinkConfig>,
    pub(crate) checkpoints: CheckpointsConfig,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SinkConfig {
    pub(crate) name: SinkName,
    pub(crate) kind: SinkKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SinkKind {
    File(FileOptions),
    Syslog(SyslogOptions),
    Webhook { http: HttpOptions, secret: SecretSource },
}

/// Where checkpoints are published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CheckpointsConfig {
    pub(crate) file: Option<FileOptions>,
    pub(crate) http: Option<HttpOptions>,
}

/// What one sink has, and no other may have.
#[derive(Default)]
struct Used {
    names: Vec<SinkName>,
    paths: Vec<PathBuf>,
}

pub(super) fn audit(mut section: Section<'_, '_>, base: &Path, problems: &mut Problems<'_>) -> AuditConfig {
    let mut audit = AuditConfig::default();
    let days =
        |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| number(1, MAX_RETENTION_DAYS)(entry, problems).map(Some);
    set(&mut audit.retention_days, section.get("retention_days"), days, problems);
    let mut used = Used::default();
    if let Some(entry) = section.get("sinks") {
        let items = entry.list(problems);
        if items.len() > MAX_SINKS {
            entry.refuse(format_args!("must be at most {MAX_SINKS}"), problems);
        }
        for item in items {
            if let Some(found) = sink(item, base, &mut used, problems) {
                audit.sinks.push(found);
            }
        }
    }
    audit.checkpoints = checkpoints(section.section("checkpoints", problems), base, &mut used, problems);
    section.finish(problems);
    audit
}

fn sink(entry: Entry<'_, '_>, base: &Path, used: &mut Used, problems: &mut Problems<'_>) -> Option<SinkConfig> {
    let mut section = entry.section(problems);
    let name = section.require("name", problems);
    let name = name.and_then(|entry| {
        let name = entry.parsed(problems, sink_name)?;
        if used.names.contains(&name) {
            entry.refuse("is the name of another sink too", problems);
        }
        used.names.push(name.clone());
        Some(name)
    });
    let kind = section.require("kind", problems)?;
    let kind = match kind.string(problems)? {
        "file" => {
            let path = section.require("path", problems).and_then(|entry| own_path(&entry, base, used, problems));
            let options = rotated(&mut section, path.unwrap_or_default(), problems);
            Some(SinkKind::File(options))
        }
        "syslog" => syslog(&mut section, problems).map(SinkKind::Syslog),
        "webhook" => {
            let url = section.require("url", problems).and_then(|entry| url(&entry, problems));
            let http = http(&mut section, url.unwrap_or_default(), base, problems);
            let secret = match section.get("secret_credential") {
                None => section
                    .require("secret_file", problems)
                    .and_then(|entry| path(&entry, base, problems))
                    .map(SecretSource::File),
                Some(_) => secret(&mut section, ("secret_file", "secret_credential"), base, problems),
            };
            secret.map(|secret| SinkKind::Webhook { http, secret })
        }
        _ => {
            kind.refuse("must be \"file\", \"syslog\" or \"webhook\"", problems);
            return None;
        }
    };
    section.finish(problems);
    Some(SinkConfig { name: name?, kind: kind? })
}

fn syslog(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<SyslogOptions> {
    let address = section.require("address", problems);
    let address = address.and_then(|entry| entry.parsed(problems, str::parse::<SyslogAddress>));
    let facility = section.get("facility").and_then(|entry| entry.parsed(problems, str::parse::<Facility>));
    let app_name = section.get("app_name").and_then(|entry| entry.parsed(problems, app_name));
    let timeout = timeout(section, problems);
    let mut options = SyslogOptions::new(address?);
    options.facility = facility.unwrap_or(options.facility);
    options.app_name = app_name.unwrap_or(options.app_name);
    options.timeout = timeout.unwrap_or(options.timeout);
    Some(options)
}

fn checkpoints(
    mut section: Section<'_, '_>,
    base: &Path,
    used: &mut Used,
    problems: &mut Problems<'_>,
) -> CheckpointsConfig {
    let mut checkpoints = CheckpointsConfig::default();
    if let Some(entry) = section.get("file") {
        let path = own_path(&entry, base, used, problems);
        checkpoints.file = Some(rotated(&mut section, path.unwrap_or_default(), problems));
    }
    if let Some(entry) = section.get("url") {
        let url = url(&entry, problems);
        checkpoints.http = Some(http(&mut section, url.unwrap_or_default(), base, problems));
    }
    for (key, goes_with, is_there) in [
        ("rotate_mib", "file", checkpoints.file.is_some()),
        ("keep", "file", checkpoints.file.is_some()),
        ("ca_file", "url", checkpoints.http.is_some()),
        ("timeout_seconds", "url", checkpoints.http.is_some()),
    ] {
        if let Some(entry) = section.get(key).filter(|_| !is_there) {
            entry.refuse(format_args!("goes with `{goes_with}` only"), problems);
        }
    }
    section.finish(problems);
    checkpoints
}

/// The path of a file that nothing else writes to.
fn own_path(entry: &Entry<'_, '_>, base: &Path, used: &mut Used, problems: &mut Problems<'_>) -> Option<PathBuf> {
    let path = path(entry, base, problems)?;
    if used.paths.contains(&path) {
        entry.refuse("is the file of another sink too", problems);
    }
    used.paths.push(path.clone());
    Some(path)
}

fn rotated(section: &mut Section<'_, '_>, path: PathBuf, problems: &mut Problems<'_>) -> FileOptions {
    let mut options = FileOptions::new(path);
    let mib = section.get("rotate_mib").and_then(|entry| entry.integer(&(1..=MAX_ROTATE_MIB), problems));
    options.rotate_bytes = mib.map_or(options.rotate_bytes, |mib| mib * 1024 * 1024);
    set(&mut options.keep, section.get("keep"), number(1, MAX_KEEP), problems);
    options
}

fn http(section: &mut Section<'_, '_>, url: String, base: &Path, problems: &mut Problems<'_>) -> HttpOptions {
    let mut options = HttpOptions::new(url);
    options.ca_file = section.get("ca_file").and_then(|entry| path(&entry, base, problems));
    options.timeout = timeout(section, problems).unwrap_or(options.timeout);
    options
}

fn url(entry: &Entry<'_, '_>, problems: &mut Problems<'_>) -> Option<String> {
    entry.parsed(problems, |text| check_url(text).map(|()| text.to_owned()))
}

fn timeout(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<Duration> {
    let entry = section.get("timeout_seconds")?;
    entry.integer(&(1..=MAX_TIMEOUT_SECONDS), problems).map(Duration::from_secs)
}

fn sink_name(text: &str) -> Result<SinkName, &'static str> {
    SinkName::new(text).map_err(|_| "must have 1 to 63 characters of a-z 0-9 and -, and begin with a letter")
}

fn app_name(text: &str) -> Result<String, &'static str> {
    let is_name = (1..=48).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name { Ok(text.to_owned()) } else { Err("must have 1 to 48 visible ASCII characters") }
}

#[cfg(test)]
mod tests;
