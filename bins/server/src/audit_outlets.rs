//! Where the audit log goes besides the store, as the configuration says.

use crate::config::{AuditConfig, CheckpointsConfig, SecretSource, SinkConfig, SinkKind};
use crate::failure::{Exit, Failure};
use crate::root_key;
use std::sync::Arc;
use strongroom_audit_sinks::{FileCheckpointSink, FileSink, HttpCheckpointSink, SyslogSink, WebhookSink};
use strongroom_domain::port::{AuditSink, Clock};
use strongroom_domain::value::SecretBytes;
use strongroom_root_key::{FileAccess, SecretFile, read_secret};

/// A shorter secret can be guessed.
const MIN_SECRET_LEN: usize = 16;

/// Sinks and the like. None is connected to before it is used.
#[derive(Default)]
pub(crate) struct AuditOutlets {
    pub(crate) retention_days: Option<u32>,
    pub(crate) sinks: Vec<Arc<dyn AuditSink>>,
    pub(crate) checkpoint_file: Option<FileCheckpointSink>,
    pub(crate) checkpoint_url: Option<HttpCheckpointSink>,
}

impl AuditOutlets {
    /// Refuses what can't be right however long one waits: a secret that can't be read, certificates that are none.
    pub(crate) fn of(config: &AuditConfig, clock: &Arc<dyn Clock>) -> Result<Self, Failure> {
        let AuditConfig { retention_days, sinks, checkpoints: CheckpointsConfig { file, http } } = config;
        let checkpoint_url = http.as_ref().map(HttpCheckpointSink::new).transpose().map_err(|error| {
            let message = "checkpoints of the audit log cannot be published as `audit.checkpoints` says";
            Failure::new(Exit::Configuration, message).because(error)
        })?;
        Ok(Self {
            retention_days: *retention_days,
            sinks: sinks.iter().map(|sink| made(sink, clock)).collect::<Result<_, _>>()?,
            checkpoint_file: file.clone().map(FileCheckpointSink::new),
            checkpoint_url,
        })
    }
}

fn made(SinkConfig { name, kind }: &SinkConfig, clock: &Arc<dyn Clock>) -> Result<Arc<dyn AuditSink>, Failure> {
    let refused = || Failure::new(Exit::Configuration, format!("the audit sink {name} cannot be used"));
    Ok(match kind {
        SinkKind::File(options) => Arc::new(FileSink::new(name.clone(), options.clone())),
        SinkKind::Syslog(options) => Arc::new(SyslogSink::new(name.clone(), options.clone())),
        SinkKind::Webhook { http, secret } => {
            let secret = read(secret).map_err(|error| refused().because(error))?;
            if secret.len() < MIN_SECRET_LEN {
                let short =
                    Failure::new(Exit::Configuration, format!("its secret has less than {MIN_SECRET_LEN} bytes"));
                return Err(refused().because(short));
            }
            let sink = WebhookSink::new(name.clone(), http, secret, Arc::clone(clock));
            Arc::new(sink.map_err(|error| refused().because(error))?)
        }
    })
}

fn read(source: &SecretSource) -> Result<SecretBytes, Failure> {
    let (path, access) = match source {
        SecretSource::File(file) => (file.clone(), FileAccess::Private),
        SecretSource::Credential(name) => (root_key::credential(name)?, FileAccess::Credential),
    };
    read_secret(&path, SecretFile::WebhookSecret, access)
        .map_err(|error| Failure::new(Exit::Configuration, "its secret is refused").because(error))
}

#[cfg(test)]
mod tests {
    use super::AuditOutlets;
    use crate::config::{AuditConfig, SecretSource, SinkConfig, SinkKind};
    use crate::failure::{Exit, causes};
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;
    use strongroom_audit_sinks::HttpOptions;
    use strongroom_domain::audit::SinkName;
    use strongroom_domain::port::Clock;
    use strongroom_system::SystemClock;
    use tempfile::NamedTempFile;

    #[test]
    fn a_webhooks_secret_is_its_owners_alone() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outlets = |secret: &str, mode: u32| {
            let mut file = NamedTempFile::new().expect("a file");
            writeln!(file, "{secret}").expect("writes");
            file.as_file().set_permissions(PermissionsExt::from_mode(mode)).expect("sets");
            let http = HttpOptions::new("http://127.0.0.1:9/");
            let kind = SinkKind::Webhook { http, secret: SecretSource::File(file.path().to_owned()) };
            let sinks = vec![SinkConfig { name: SinkName::new("hook").expect("a name"), kind }];
            AuditOutlets::of(&AuditConfig { sinks, ..AuditConfig::default() }, &clock)
                .map(|outlets| outlets.sinks.len())
        };
        let long = "0123456789abcdef";
        assert_eq!(outlets(long, 0o600).ok(), Some(1));
        assert_eq!(outlets(long, 0o400).ok(), Some(1));
        for (secret, mode) in [(long, 0o640), (long, 0o604), ("too short", 0o600), ("", 0o600)] {
            let failure = outlets(secret, mode).expect_err("is refused");
            assert_eq!(failure.exit(), Exit::Configuration);
            let told = causes(&failure);
            assert!(told.contains("hook") && !told.contains(long) && !told.contains("too short"), "{told}");
        }
    }
}
