//! Logs, on standard error.

use crate::config::{LogConfig, LogFormat};
use crate::failure::{Exit, Failure};
use tracing_subscriber::EnvFilter;

/// Wins over the configured level; takes filters such as `info,strongroom_http=debug`.
const VARIABLE: &str = "STRONGROOM_LOG";

/// The level is that of our own messages; of others' only warnings and errors are of interest.
fn filter(level: &str) -> String {
    let others = if level == "error" { "error" } else { "warn" };
    format!("{others},strongroom={level}")
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
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match config.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| Failure::runtime("logging cannot be started").because(error))
}

#[cfg(test)]
mod tests {
    use super::filter;
    use tracing_subscriber::EnvFilter;

    #[test]
    fn levels_are_filters() {
        assert_eq!(filter("info"), "warn,strongroom=info");
        for level in ["error", "warn", "info", "debug", "trace"] {
            assert!(EnvFilter::try_new(filter(level)).is_ok(), "{level}");
        }
    }
}
