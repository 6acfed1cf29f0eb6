use crate::error::OpenError;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::env;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;
use url::Url;
use zeroize::Zeroize;

/// The parameters that a URL may have. Another may be a misspelt one, and a misspelt `sslmode` must not go unnoticed.
const PARAMETERS: [&str; 11] = [
    "application_name",
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// A text that is no URL of a PostgreSQL database. What it says never holds a part of the URL that may be secret.
#[derive(Debug, thiserror::Error)]
#[error("the database URL {0}")]
pub struct InvalidUrl(String);

/// How a PostgreSQL store is opened.
///
/// Neither `Debug` nor `Display`, since it holds the database's password, which stays in memory for as long as connections are made.
#[derive(Clone)]
pub struct PostgresOptions {
    server: PgConnectOptions,
    name: String,
    /// Whether an empty database becomes a new store. Without it that is [`OpenError::Absent`].
    pub create: bool,
    /// Whether a server is accepted that may lose commits: `fsync` or `full_page_writes` off, or `synchronous_commit` off.
    pub allow_unsafe_durability: bool,
    /// Whether connections to another machine may go unencrypted (`sslmode` `disable`, `allow` or `prefer`).
    pub allow_plaintext: bool,
    /// The most connections for the reads that every reveal makes. At least 1.
    pub hot_readers: u32,
    /// The most connections for all other reads. At least 1.
    pub readers: u32,
    /// How many lanes write, each on a connection of its own. At least 1.
    pub lanes: usize,
    /// How many bytes of changes, and again of queued records, may wait for the lanes; when there are more, callers wait.
    pub queue_bytes: u32,
    /// How long a read waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
    /// How long the server works on a statement.
    pub statement_timeout: Duration,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// How long the server keeps a transaction of which it hears nothing.
    pub idle_in_transaction_timeout: Duration,
}

impl PostgresOptions {
    /// The defaults, for a store in the database that a URL names, which must exist:
    /// `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=/path/to/ca.pem`. A directory as host
    /// (`postgres://user@%2Frun%2Fpostgresql/database`, or `?host=/run/postgresql`) is that of a Unix socket. What the URL leaves
    /// out is taken from the environment (`PGHOST`, `PGUSER`, `PGPASSWORD`, …) and the password file, as by every client.
    ///
    /// Without `sslmode` a server on another machine must prove that it is the named host (`verify-full`).
    ///
    /// # Errors
    /// [`InvalidUrl`] names what is wrong with the URL.
    pub fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let invalid = |what: &str| InvalidUrl(what.to_owned());
        let parsed = Url::parse(url).map_err(|error| InvalidUrl(format!("cannot be read: {error}")))?;
        let checked = check(&parsed);
        let has = |name: &str| parsed.query_pairs().any(|(key, _)| key == name);
        let (has_mode, has_root) = (has("sslmode"), has("sslrootcert"));
        let mut text = String::from(parsed);
        text.zeroize();
        checked?;
        let server = PgConnectOptions::from_str(url)
            .map_err(|_| invalid("has a parameter with a value that does not fit, such as port or sslmode"))?;
        if server.get_database().is_none_or(str::is_empty) {
            return Err(invalid("names no database: postgres://user@host/database"));
        }
        // The driver resolves them as names, brackets and all.
        let server = match server.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => server.clone().host(address),
            None => server,
        };
        let has_mode = has_mode || env::var_os("PGSSLMODE").is_some();
        let has_root = has_root || env::var_os("PGSSLROOTCERT").is_some();
        let mode = ssl_mode(&server, has_mode, has_root);
        let server = server.ssl_mode(mode).disable_statement_logging().statement_cache_capacity(256);
        let server = match server.get_application_name() {
            None => server.application_name("strongroom"),
            Some(_) => server,
        };
        let threads = u32::try_from(std::thread::available_parallelism().map_or(2, usize::from)).unwrap_or(2);
        Ok(Self {
            name: name(&server),
            server,
            create: false,
            allow_unsafe_durability: false,
            allow_plaintext: false,
            hot_readers: threads.saturating_mul(4).max(8),
            readers: 4,
            lanes: (threads as usize / 2).clamp(1, 4),
            queue_bytes: 32 << 20,
            acquire_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(30),
        })
    }

    /// The same, but an empty database becomes a new store.
    #[must_use]
    pub const fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// Which database it is, for messages: host, port and database, and nothing else.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As the driver takes it.
    pub(super) fn driver(&self) -> Result<PgConnectOptions, OpenError> {
        let encrypted =
            !matches!(self.server.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
        if !(encrypted || self.allow_plaintext || is_local(&self.server)) {
            return Err(OpenError::Unfit(
                "the database is on another machine, and the URL's sslmode lets the connection go unencrypted; use \
                 sslmode=verify-full"
                    .to_owned(),
            ));
        }
        let timeouts = [
            ("statement_timeout", self.statement_timeout),
            ("lock_timeout", self.lock_timeout),
            ("idle_in_transaction_session_timeout", self.idle_in_transaction_timeout),
        ];
        let server = self.server.clone().options(timeouts.map(|(name, limit)| (name, limit.as_millis().to_string())));
        Ok(server.options([("default_transaction_isolation", "read committed")]))
    }
}

fn check(url: &Url) -> Result<(), InvalidUrl> {
    let invalid = |what: String| Err(InvalidUrl(what));
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return invalid("does not begin with postgres://".to_owned());
    }
    if url.host_str().is_some_and(|host| host.contains(',')) {
        return invalid("names several hosts; name one".to_owned());
    }
    if url.fragment().is_some() {
        return invalid("has a #; write %23 for one in a password".to_owned());
    }
    for (key, _) in url.query_pairs() {
        if PARAMETERS.contains(&&*key) {
            continue;
        }
        // What doesn't look like a name may be the rest of a password that wasn't escaped.
        let is_name = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let shown = if is_name { format!("{key:?}") } else { "one that is no name".to_owned() };
        return invalid(format!("has a parameter that is not known: {shown}; known are {}", PARAMETERS.join(", ")));
    }
    Ok(())
}

/// As every client of PostgreSQL understands it, but where nothing is said strict towards other machines.
fn ssl_mode(server: &PgConnectOptions, is_given: bool, has_root: bool) -> PgSslMode {
    if is_socket(server) {
        return PgSslMode::Disable;
    }
    match server.get_ssl_mode() {
        PgSslMode::Require if has_root => PgSslMode::VerifyCa,
        mode if is_given => mode,
        _ if is_local(server) => PgSslMode::Prefer,
        _ => PgSslMode::VerifyFull,
    }
}

fn is_socket(server: &PgConnectOptions) -> bool {
    server.get_socket().is_some() || server.get_host().starts_with('/')
}

fn is_local(server: &PgConnectOptions) -> bool {
    let host = server.get_host();
    is_socket(server) || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn name(server: &PgConnectOptions) -> String {
    let host = server.get_socket().map_or_else(|| server.get_host().into(), |socket| socket.to_string_lossy());
    let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]").into() } else { host };
    format!("{host}:{}/{}", server.get_port(), server.get_database().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{OpenError, PgSslMode, PostgresOptions};

    fn parse(url: &str) -> PostgresOptions {
        PostgresOptions::parse(url).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refusal(url: &str) -> String {
        PostgresOptions::parse(url).err().expect("refused").to_string()
    }

    #[test]
    fn a_url_names_a_server_and_a_database() {
        assert_eq!(parse("postgres://u:pass@db.example:5433/vault").name(), "db.example:5433/vault");
        for socket in ["postgres://u@%2Frun%2Fpg/vault?port=5433", "postgresql:///vault?host=/run/pg&port=5433&user=u"]
        {
            let options = parse(socket);
            assert_eq!(options.name(), "/run/pg:5433/vault");
            assert!(matches!(options.server.get_ssl_mode(), PgSslMode::Disable));
            assert_eq!(options.server.get_username(), "u");
        }
        let address = parse("postgres://u@[2001:db8::7]:5433/vault");
        assert_eq!((address.server.get_host(), address.name()), ("2001:db8::7", "[2001:db8::7]:5433/vault"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "http://u:hunter2@db/vault",
            "postgres://u:hunter2@db/vault?sslmod=require",
            "postgres://u:hunter2@db/vault?sslmode=sometimes",
            "postgres://u:1?hunter2@db/vault",
            "postgres://u:hunter2@db:port/vault",
            "postgres://u:hunter2@db,other/vault",
            "postgres://u:hunter2@db/vault#hunter2",
            "hunter2",
        ] {
            let refusal = refusal(url);
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
        assert!(refusal("postgres://u@db/vault?sslmod=require").contains("\"sslmod\""));
        assert!(refusal("postgres://u@db/").contains("names no database"));
    }

    #[test]
    fn another_machine_must_prove_itself() {
        let mode = |url: &str| parse(url).server.get_ssl_mode();
        assert!(matches!(mode("postgres://u@db.example/vault"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://u@127.0.0.1/vault"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://u@[::1]/vault"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://u@localhost/vault?sslmode=require"), PgSslMode::Require));
        assert!(matches!(mode("postgres://u@db/vault?sslmode=require&sslrootcert=/ca.pem"), PgSslMode::VerifyCa));
        for plain in ["disable", "allow", "prefer"] {
            let mut options = parse(&format!("postgres://u@db.example/vault?sslmode={plain}"));
            assert!(matches!(options.driver(), Err(OpenError::Unfit(_))));
            options.allow_plaintext = true;
            assert!(options.driver().is_ok());
            assert!(parse(&format!("postgres://u@localhost/vault?sslmode={plain}")).driver().is_ok());
        }
    }
}
