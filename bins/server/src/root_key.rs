//! Finds the root key that a configuration names, and makes it where a command may.

mod watch;

use crate::config::{RootKeyConfig, RootKeySource, SecretSource, TransitConfig};
use crate::data_dir::DataDir;
use crate::failure::{Exit, Failure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::Entropy;
use strongroom_domain::root_key::KeyCheck;
use strongroom_root_key::{
    FileAccess, KeyCheckError, LineKind, NewRootKey, RootKeyFile, RootKeyFileError, RootKeyRing, SecretFile,
    SoftwareRootKey, Transit, TransitSettings, Unsealing, read_secret,
};
pub(crate) use watch::{FileVersion, Watch};

/// The environment variable in which a service manager names the directory of the service's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
const REFUSED: &str = "the root key is refused; nothing was written";

/// Where the root key is, and what opens it.
#[derive(Clone)]
pub(crate) struct Provider {
    path: PathBuf,
    access: FileAccess,
    config: RootKeyConfig,
}

/// The root keys of a node, and the file from which it takes on more.
pub(crate) struct NodeRootKeys {
    pub(crate) ring: Arc<RootKeyRing>,
    pub(crate) watch: Watch,
}

impl Provider {
    /// What the configuration of a server over this data directory names.
    pub(crate) fn find(config: &RootKeyConfig, data_dir: &Path) -> Result<Self, Failure> {
        let (path, access) = match &config.source {
            RootKeySource::File(Some(file)) => (file.clone(), FileAccess::Private),
            RootKeySource::File(None) => (DataDir::root_key_in(data_dir), FileAccess::Private),
            RootKeySource::Credential(name) => (credential(name)?, FileAccess::Credential),
            RootKeySource::Environment(variable) => match std::env::var_os(variable).filter(|path| !path.is_empty()) {
                Some(path) => (PathBuf::from(path), FileAccess::Private),
                None => {
                    let message =
                        format!("the environment variable {variable}, which is to name the root key file, is not set");
                    return Err(Failure::new(Exit::Configuration, message));
                }
            },
        };
        Ok(Self { path, access, config: config.clone() })
    }

    /// As the configuration says, but in this file.
    pub(crate) fn in_file(config: &RootKeyConfig, path: PathBuf) -> Self {
        Self { path, access: FileAccess::Private, config: config.clone() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `init` may find it there, because whoever starts the server provides it.
    pub(crate) const fn is_provided(&self) -> bool {
        !matches!(self.config.source, RootKeySource::File(_))
    }

    /// What opens sealed lines.
    pub(crate) fn unsealing(&self) -> Result<Unsealing, Failure> {
        let mut unsealing = Unsealing::default();
        if let Some(source) = &self.config.passphrase {
            unsealing.passphrase = Some(Arc::new(secret(source, SecretFile::Passphrase)?));
        }
        if let Some(config) = &self.config.transit {
            unsealing.transit = Some(Arc::new(transit(config)?));
        }
        Ok(unsealing)
    }

    /// How a new key is kept, where there is none to go by: sealed, when the configuration names what seals.
    pub(crate) const fn kind(&self) -> LineKind {
        match (&self.config.passphrase, &self.config.transit) {
            (Some(_), _) => LineKind::Passphrase,
            (None, Some(_)) => LineKind::Transit,
            (None, None) => LineKind::Plain,
        }
    }

    /// Reads the file, and opens nothing yet. Writes nothing.
    pub(crate) fn read(&self) -> Result<RootKeyFile, Failure> {
        RootKeyFile::read(&self.path, self.access).map_err(refusal)
    }

    /// Opens the root keys. Writes nothing.
    pub(crate) async fn load(&self) -> Result<NodeRootKeys, Failure> {
        let seen = FileVersion::of(&self.path);
        let keys = self.keys().await?;
        let ring = RootKeyRing::new(keys).ok_or_else(|| Failure::new(Exit::RootKey, "there is no root key"))?;
        Ok(self.node(ring, seen))
    }

    /// As [`load`](Self::load), where there is a file. A credential that isn't there is none that could be made.
    pub(crate) async fn load_if_there(&self) -> Result<Option<NodeRootKeys>, Failure> {
        match RootKeyFile::read(&self.path, self.access) {
            Err(RootKeyFileError::Missing { .. }) if self.access == FileAccess::Private => Ok(None),
            Ok(_) | Err(_) => self.load().await.map(Some),
        }
    }

    /// Makes a root key. Only for a store that has none yet.
    pub(crate) async fn create(&self) -> Result<NodeRootKeys, Failure> {
        let new = self.new_key(self.kind()).await?;
        let key = new.create(&self.path, &OsEntropy).map_err(refusal)?;
        Ok(self.node(RootKeyRing::of(key), FileVersion::of(&self.path)))
    }

    /// A new key, and its line, that nothing keeps yet.
    pub(crate) async fn new_key(&self, kind: LineKind) -> Result<NewRootKey, Failure> {
        NewRootKey::make(kind, &self.unsealing()?, Arc::new(OsEntropy)).await.map_err(refusal)
    }

    /// The keys of the file, oldest first.
    pub(crate) async fn keys(&self) -> Result<Vec<SoftwareRootKey>, Failure> {
        let file = self.read()?;
        self.keys_of(&file).await
    }

    /// The keys of a file that was read, in the order of its lines.
    pub(crate) async fn keys_of(&self, file: &RootKeyFile) -> Result<Vec<SoftwareRootKey>, Failure> {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        file.open(&self.unsealing()?, &entropy).await.map_err(refusal)
    }

    fn node(&self, ring: RootKeyRing, seen: Option<FileVersion>) -> NodeRootKeys {
        let ring = Arc::new(ring);
        NodeRootKeys { watch: Watch::new(self.clone(), Arc::clone(&ring), seen), ring }
    }
}

/// The file of a credential.
pub(crate) fn credential(name: &str) -> Result<PathBuf, Failure> {
    match std::env::var_os(CREDENTIALS).filter(|directory| !directory.is_empty()) {
        Some(directory) => Ok(Path::new(&directory).join(name)),
        None => {
            let message = format!(
                "there are no credentials to take {name} from: the environment variable {CREDENTIALS} is not set, as systemd sets it for a \
                 unit with LoadCredential= or LoadCredentialEncrypted="
            );
            Err(Failure::new(Exit::Configuration, message))
        }
    }
}

fn secret(source: &SecretSource, what: SecretFile) -> Result<strongroom_domain::value::SecretBytes, Failure> {
    let (path, access) = match source {
        SecretSource::File(file) => (file.clone(), FileAccess::Private),
        SecretSource::Credential(name) => (credential(name)?, FileAccess::Credential),
    };
    read_secret(&path, what, access).map_err(refusal)
}

fn transit(config: &TransitConfig) -> Result<Transit, Failure> {
    let authorities = match &config.ca_file {
        None => None,
        Some(file) => Some(std::fs::read(file).map_err(|error| {
            let message =
                format!("the certificate authorities of root_key.transit.ca_file, {}, cannot be read", file.display());
            Failure::new(Exit::Configuration, message).because(error)
        })?),
    };
    let settings = TransitSettings {
        address: config.address.clone(),
        token: secret(&config.token, SecretFile::Token)?,
        mount: config.mount.clone(),
        key: config.key.clone(),
        authorities,
    };
    Transit::new(settings).map_err(|error| {
        Failure::new(Exit::Configuration, "the Transit server of root_key.transit cannot be used").because(error)
    })
}

/// What may be otherwise in a moment is worth another start.
pub(crate) fn refusal(error: RootKeyFileError) -> Failure {
    match error {
        RootKeyFileError::Write { .. } | RootKeyFileError::Entropy(_) | RootKeyFileError::Seal(_) => {
            Failure::runtime("no root key was written").because(error)
        }
        _ if error.is_temporary() => {
            Failure::runtime("the root key cannot be opened now; nothing was written").because(error)
        }
        _ => Failure::new(Exit::RootKey, REFUSED).because(error),
    }
}

/// Whether the store was set up with one of these root keys, or moved to it; lets that one seal. Writes nothing.
pub(crate) fn verify(root_keys: &RootKeyRing, check: &KeyCheck) -> Result<(), Failure> {
    root_keys.adopt(check).map_err(|error| match error {
        KeyCheckError::Unavailable(_) => Failure::runtime("the root key cannot be checked").because(error),
        KeyCheckError::OtherRootKey { .. } | KeyCheckError::Damaged => {
            Failure::new(Exit::RootKey, REFUSED).because(error)
        }
    })
}
