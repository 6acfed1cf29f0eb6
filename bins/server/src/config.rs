//! The configuration file: what `serve` runs with, and what `init --config` sets up.

mod audit;
mod iam;
mod reader;
mod regions;
mod root_key;

use crate::database_url::DatabaseUrl;
use crate::failure::{Exit, Failure};
pub(crate) use audit::{AuditConfig, CheckpointsConfig, SinkConfig, SinkKind};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
pub(crate) use iam::{IamConfig, LoginConfig, is_loopback};
use ipnet::IpNet;
pub(crate) use reader::Problem;
use reader::{Entry, Problems, Section};
pub(crate) use regions::{RegionKms, region_slug};
pub(crate) use root_key::{RootKeyConfig, RootKeySource, SecretSource, TransitConfig};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strongroom_domain::metadata::check_name;
use toml::de::DeTable;

/// The most active versions of a secret that an operator may allow.
const MAX_ACTIVE_VERSIONS: u64 = 100_000;
/// The largest cache, in bytes: 1 TiB.
const MAX_CACHE_BYTES: u64 = 1 << 40;
/// The most connections.
const MAX_CONNECTIONS: u64 = 100_000;
/// The most requests in flight.
const MAX_IN_FLIGHT: u64 = 100_000;
/// What one answer may hold.
const MIN_BULK_BYTES: u64 = 16 << 20;
const MAX_BULK_BYTES: u64 = 1 << 40;
/// The most requests per second of one principal.
const MAX_PER_SECOND: u64 = 1_000_000;
/// The most lanes that write to a database.
const MAX_LANES: u64 = 16;
/// The most connections of a pool to a database.
const MAX_DATABASE_CONNECTIONS: u64 = 1_000;
/// The longest that a database may take for a statement or a lock, in seconds.
const MAX_DATABASE_SECONDS: u64 = 600;
/// The longest that stopping may wait for running requests, in seconds.
const MAX_GRACE_SECONDS: u64 = 3_600;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Where the store lives.
    pub(crate) data_dir: PathBuf,
    pub(crate) database: DatabaseConfig,
    pub(crate) root_key: RootKeyConfig,
    pub(crate) listen: Listen,
    pub(crate) limits: LimitsConfig,
    pub(crate) iam: IamConfig,
    /// Whether a value that isn't base64 is taken as it stands.
    pub(crate) plain_values: bool,
    /// By slug; a region that isn't here uses the local KMS.
    pub(crate) regions: BTreeMap<String, RegionKms>,
    /// The organisation that `init` makes.
    pub(crate) organisation: Option<String>,
    pub(crate) log: LogConfig,
    pub(crate) audit: AuditConfig,
    /// Where metrics are told; `None` for nowhere.
    pub(crate) metrics: Option<SocketAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    /// Connections beyond wait.
    pub(crate) max_connections: usize,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// How long stopping waits for running requests.
    pub(crate) shutdown_grace: Duration,
}

/// Of a store in PostgreSQL; what is `None` has the store's own default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DatabaseConfig {
    /// `None` for a file in the data directory.
    pub(crate) url: Option<DatabaseUrl>,
    pub(crate) lanes: Option<usize>,
    /// Connections for the reads of reveals.
    pub(crate) hot_connections: Option<u32>,
    /// Connections for all other reads.
    pub(crate) connections: Option<u32>,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) lock_timeout: Option<Duration>,
    pub(crate) allow_unsafe_durability: bool,
    pub(crate) allow_plaintext: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitsConfig {
    pub(crate) value_bytes: usize,
    pub(crate) active_versions: u32,
    /// `None` keeps all.
    pub(crate) keep_active_versions: Option<u32>,
    pub(crate) cache_bytes: u64,
    /// More are answered 503.
    pub(crate) requests_in_flight: u32,
    /// Of one principal; more are answered 429. 0 is no limit.
    pub(crate) requests_per_second: u32,
    /// Of values, in all answers with many values together.
    pub(crate) bulk_bytes_in_flight: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogConfig {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8200)),
            max_connections: 1_024,
            trusted_proxies: Vec::new(),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            value_bytes: 64 * 1024,
            active_versions: 1_000,
            keep_active_versions: None,
            cache_bytes: 64 * 1024 * 1024,
            requests_in_flight: 1_024,
            requests_per_second: 0,
            bulk_bytes_in_flight: 256 * 1024 * 1024,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Config {
    /// The defaults over this data directory.
    pub(crate) fn over(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            database: DatabaseConfig::default(),
            root_key: RootKeyConfig::default(),
            listen: Listen::default(),
            limits: LimitsConfig::default(),
            iam: IamConfig::default(),
            plain_values: false,
            regions: BTreeMap::new(),
            organisation: None,
            log: LogConfig::default(),
            audit: AuditConfig::default(),
            metrics: None,
        }
    }

    /// Reads a file. Relative paths in it start from the file's own directory.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let refuse = |what: String| Failure::new(Exit::Configuration, what);
        let bytes = std::fs::read(file).map_err(|error| {
            refuse(format!("the configuration file {} cannot be read", file.display())).because(error)
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
            refuse(format!("the configuration file {} is not UTF-8 in line {line}", file.display()))
        })?;
        let base = file.parent().unwrap_or_else(|| Path::new(""));
        Self::parse(&text, base).map_err(|problems| {
            let count = match problems.len() {
                1 => "1 problem".to_owned(),
                count => format!("{count} problems"),
            };
            let list: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
            refuse(format!("the configuration file {} has {count}:{list}", file.display()))
        })
    }

    /// Reads a text, or tells everything that is wrong with it.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::new(text);
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            problems.add(error.span(), error.message());
        }
        let mut root = Section::root(&document);
        // After a syntax error a key may be missing only because its line couldn't be read.
        let data_dir = if errors.is_empty() { root.require("data_dir", &mut problems) } else { root.get("data_dir") };
        let mut config = Self::over(data_dir.and_then(|entry| path(&entry, base, &mut problems)).unwrap_or_default());
        config.database = database(root.section("database", &mut problems), &mut problems);
        config.root_key = root_key::root_key(&mut root, base, &mut problems);
        config.listen = listen(root.section("listen", &mut problems), &mut problems);
        config.limits = limits(root.section("limits", &mut problems), &mut problems);
        config.iam = iam::iam(root.section("iam", &mut problems), &mut problems);
        let mut section = root.section("compatibility", &mut problems);
        set(&mut config.plain_values, section.get("plain_values"), Entry::boolean, &mut problems);
        section.finish(&mut problems);
        config.regions = regions::regions(&root.section("regions", &mut problems), base, &mut problems);
        let mut section = root.section("init", &mut problems);
        config.organisation = section.get("organisation").and_then(|entry| {
            entry.parsed(&mut problems, |name| check_name(name).map(|()| name.to_owned()).map_err(|error| error.rule))
        });
        section.finish(&mut problems);
        config.log = log(root.section("log", &mut problems), &mut problems);
        config.audit = audit::audit(root.section("audit", &mut problems), base, &mut problems);
        let mut section = root.section("metrics", &mut problems);
        config.metrics =
            section.get("listen").and_then(|entry| metrics_listen(&entry, config.listen.address, &mut problems));
        section.finish(&mut problems);
        root.finish(&mut problems);
        let problems = problems.into_sorted();
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }
}

/// Sets a field when its entry is there and good.
fn set<'d, 'i, 'p, T>(
    field: &mut T,
    entry: Option<Entry<'d, 'i>>,
    read: impl FnOnce(&Entry<'d, 'i>, &mut Problems<'p>) -> Option<T>,
    problems: &mut Problems<'p>,
) {
    if let Some(value) = entry.and_then(|entry| read(&entry, problems)) {
        *field = value;
    }
}

fn path(entry: &Entry<'_, '_>, base: &Path, problems: &mut Problems<'_>) -> Option<PathBuf> {
    entry.parsed(problems, |text| if text.is_empty() { Err("must not be empty") } else { Ok(base.join(text)) })
}

fn database(mut section: Section<'_, '_>, problems: &mut Problems<'_>) -> DatabaseConfig {
    let mut database = DatabaseConfig::default();
    let url = |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| entry.parsed(problems, postgres_url).map(Some);
    set(&mut database.url, section.get("url"), url, problems);
    set(&mut database.lanes, section.get("lanes"), some(1, MAX_LANES), problems);
    set(&mut database.hot_connections, section.get("hot_connections"), some(1, MAX_DATABASE_CONNECTIONS), problems);
    set(&mut database.connections, section.get("connections"), some(1, MAX_DATABASE_CONNECTIONS), problems);
    set(&mut database.statement_timeout, section.get("statement_timeout_seconds"), seconds(1), problems);
    set(&mut database.lock_timeout, section.get("lock_timeout_seconds"), seconds(1), problems);
    set(&mut database.allow_unsafe_durability, section.get("allow_unsafe_durability"), Entry::boolean, problems);
    set(&mut database.allow_plaintext, section.get("allow_plaintext"), Entry::boolean, problems);
    section.finish(problems);
    database
}

/// What is wrong with it beyond that is told when the store is opened.
fn postgres_url(text: &str) -> Result<DatabaseUrl, &'static str> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(DatabaseUrl::new(text));
    }
    Err("must be the URL of a PostgreSQL database, such as postgres://strongroom@db.internal/strongroom")
}

fn some<T: TryFrom<u64>>(min: u64, max: u64) -> impl FnOnce(&Entry<'_, '_>, &mut Problems<'_>) -> Option<Option<T>> {
    move |entry, problems| number(min, max)(entry, problems).map(Some)
}

fn seconds(min: u64) -> impl FnOnce(&Entry<'_, '_>, &mut Problems<'_>) -> Option<Option<Duration>> {
    move |entry, problems| entry.integer(&(min..=MAX_DATABASE_SECONDS), problems).map(Duration::from_secs).map(Some)
}

fn number<T: TryFrom<u64>>(min: u64, max: u64) -> impl FnOnce(&Entry<'_, '_>, &mut Problems<'_>) -> Option<T> {
    move |entry, problems| entry.integer(&(min..=max), problems).and_then(|number| T::try_from(number).ok())
}

fn listen(mut section: Section<'_, '_>, problems: &mut Problems<'_>) -> Listen {
    let mut listen = Listen::default();
    let address = |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| entry.parsed(problems, loopback_address);
    set(&mut listen.address, section.get("address"), address, problems);
    set(&mut listen.max_connections, section.get("max_connections"), number(1, MAX_CONNECTIONS), problems);
    if let Some(entry) = section.get("trusted_proxies") {
        let items = entry.list(problems);
        listen.trusted_proxies = items.iter().filter_map(|item| item.parsed(problems, network)).collect();
    }
    let grace = |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| {
        entry.integer(&(0..=MAX_GRACE_SECONDS), problems).map(Duration::from_secs)
    };
    set(&mut listen.shutdown_grace, section.get("shutdown_grace_seconds"), grace, problems);
    section.finish(problems);
    listen
}

fn limits(mut section: Section<'_, '_>, problems: &mut Problems<'_>) -> LimitsConfig {
    let mut limits = LimitsConfig::default();
    set(&mut limits.value_bytes, section.get("value_bytes"), number(1_024, 1_048_576), problems);
    set(&mut limits.active_versions, section.get("active_versions"), number(1, MAX_ACTIVE_VERSIONS), problems);
    // No more than there may be: else it would never come to it.
    let keep = some(1, u64::from(limits.active_versions));
    set(&mut limits.keep_active_versions, section.get("keep_active_versions"), keep, problems);
    set(&mut limits.cache_bytes, section.get("cache_bytes"), number(0, MAX_CACHE_BYTES), problems);
    set(&mut limits.requests_in_flight, section.get("requests_in_flight"), number(1, MAX_IN_FLIGHT), problems);
    let bulk_bytes = number(MIN_BULK_BYTES, MAX_BULK_BYTES);
    set(&mut limits.bulk_bytes_in_flight, section.get("bulk_bytes_in_flight"), bulk_bytes, problems);
    set(&mut limits.requests_per_second, section.get("requests_per_second"), number(0, MAX_PER_SECOND), problems);
    section.finish(problems);
    limits
}

fn log(mut section: Section<'_, '_>, problems: &mut Problems<'_>) -> LogConfig {
    let mut log = LogConfig::default();
    let level = |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| {
        entry.parsed(problems, |text| match text {
            "error" | "warn" | "info" | "debug" | "trace" => Ok(text.to_owned()),
            _ => Err("must be one of error, warn, info, debug, trace"),
        })
    };
    set(&mut log.level, section.get("level"), level, problems);
    let format = |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| {
        entry.parsed(problems, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("must be \"text\" or \"json\""),
        })
    };
    set(&mut log.format, section.get("format"), format, problems);
    section.finish(problems);
    log
}

fn metrics_listen(entry: &Entry<'_, '_>, api: SocketAddr, problems: &mut Problems<'_>) -> Option<SocketAddr> {
    let address = entry.parsed(problems, metrics_address)?;
    if address == api && address.port() != 0 {
        entry.refuse("must be another address than `listen.address`", problems);
        return None;
    }
    Some(address)
}

/// An address for metrics that only this machine reaches.
pub(crate) fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    let address = socket_address(text)?;
    if address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "is not a loopback address: {address} would tell everybody on the network what the server does; use 127.0.0.1 or [::1], and \
         an agent or a proxy on this machine to collect metrics from elsewhere"
    ))
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("must be an address and a port, such as 127.0.0.1:8200, not `{}`", text.escape_debug()))
}

/// An address that only this machine reaches. Without TLS no other is taken: tokens and values would cross the network readable.
pub(crate) fn loopback_address(text: &str) -> Result<SocketAddr, String> {
    let address = socket_address(text)?;
    if address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "is not a loopback address: {address} would send tokens and secrets readable over the network, because this release has \
         no TLS yet; use 127.0.0.1 or [::1], and a TLS proxy on this machine to serve others"
    ))
}

fn network(text: &str) -> Result<IpNet, String> {
    let wrong = || format!("must be an address or a CIDR block, such as 10.0.0.0/8, not `{}`", text.escape_debug());
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| wrong())?;
    if net.trunc() == net { Ok(net) } else { Err(format!("has bits beyond its prefix; {} is meant", net.trunc())) }
}

#[cfg(test)]
mod tests;
