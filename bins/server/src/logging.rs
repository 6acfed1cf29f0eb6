//! Logs, on standard error.

use crate::config::{LogConfig, LogFormat};
use crate::failure::{Exit, Failure};
use std::panic::PanicHookInfo;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Wins over the configured level; takes filters such as `info,strongroom_http=debug`.
const VARIABLE: &str = "STRONGROOM_LOG";

/// The level is that of our own messages; of others' only warnings and errors are of interest.
fn filter(level: &str) -> String {
    let others = if level == "error" { "error" } else { "warn" };
    format!("{others},strongroom={level}")
}

/// The libraries that speak to databases. Of what they do only warnings are told, and of statements nothing, whatever the filter says: a
/// statement may hold what is stored.
fn is_harmless(event: &Metadata<'_>) -> bool {
    let of =
        |library| event.target().strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let speaks_to_databases = ["sqlx", "sqlx_core", "sqlx_postgres", "sqlx_sqlite", "sea_orm", "sea_orm_migration"];
    !of("sqlx::query") && (*event.level() <= Level::WARN || !speaks_to_databases.into_iter().any(of))
}

/// Starts logging. To be called once.
pub(crate) fn start(config: &LogConfig) -> Result<(), Failure> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text).map_err(|error| {
            Failure::new(Exit::Configuration, format!("the environment variable {VARIABLE} is no log filter"))
                .because(error)
        })?,
        _ => EnvFilter::new(filter(&config.level)),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = match config.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(is_harmless))
        .with(lines)
        .try_init()
        .map_err(|error| Failure::runtime("logging cannot be started").because(error))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// What a panic says may hold anything; the place is enough to find it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "a panic");
}

#[cfg(test)]
mod tests {
    use super::{filter, is_harmless, log_panic};
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("sound").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged while something runs.
    fn logged(run: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(filter_fn(is_harmless)).with(lines);
        tracing::subscriber::with_default(subscriber, run);
        let bytes = written.0.lock().expect("sound").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn levels_are_filters() {
        assert_eq!(filter("info"), "warn,strongroom=info");
        for level in ["error", "warn", "info", "debug", "trace"] {
            assert!(EnvFilter::try_new(filter(level)).is_ok(), "{level}");
        }
    }

    #[test]
    fn no_filter_shows_statements() {
        let log = logged(|| {
            tracing::error!(target: "sqlx::query", "hidden 1");
            tracing::info!(target: "sqlx_core::pool", "hidden 2");
            tracing::debug!(target: "sea_orm::driver", "hidden 3");
            tracing::warn!(target: "sqlx::pool::acquire", "shown 1");
            tracing::trace!(target: "strongroom_http", "shown 2");
            tracing::trace!(target: "sqlxx", "shown 3");
        });
        assert!(!log.contains("hidden"), "{log}");
        assert_eq!(log.matches("shown").count(), 3, "{log}");
    }

    #[test]
    fn a_panic_tells_where_and_not_what() {
        std::panic::set_hook(Box::new(log_panic));
        let log = logged(|| {
            assert!(std::panic::catch_unwind(|| panic!("hunter2")).is_err());
        });
        let _ = std::panic::take_hook();
        assert!(log.contains("logging.rs:") && !log.contains("hunter2"), "{log}");
    }
}
