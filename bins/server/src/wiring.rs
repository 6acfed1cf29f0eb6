//! Puts the server together: store, KMS, engine, API.

use crate::audit_outlets::AuditOutlets;
use crate::config::{Config, LoginConfig};
use crate::failure::{Exit, Failure};
use crate::region_kms;
use crate::root_key::{NodeRootKeys, Watch};
use crate::store::{OpenStore, Reads, Writes};
use core::net::SocketAddr;
use core::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use strongroom::{AuditKeyPorts, CredentialPorts, Engine, Limits, Ports};
use strongroom_auth::{
    AccessTokenPorts, AccessTokens, AuthenticatorPorts, FetchRules, ForeignTokenVerifier, HttpsJwksFetcher,
    LoginIssuer, StoreAuthenticator, StoreCredentialMaker,
};
use strongroom_crypto::{Aes256GcmCipher, Ed25519Verifier, OsEntropy};
use strongroom_domain::port::{Authenticator, Clock, Entropy, ForeignTokens, IdGenerator, KeyedDigest, Kms, RootKey};
use strongroom_http::{Api, Settings};
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{InstanceKeys, WrappingKeys};
use strongroom_system::{SystemClock, SystemIds};

/// A server, put together and not yet listening.
pub(crate) struct System {
    pub(crate) engine: Arc<Engine>,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) token_digest: Arc<dyn KeyedDigest>,
    pub(crate) reader: Arc<dyn Reads>,
    pub(crate) writer: Arc<dyn Writes>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    /// What the store is made with, for the log.
    pub(crate) store_kind: &'static str,
    /// Takes on new root keys.
    pub(crate) root_keys: Watch,
    pub(crate) audit_outlets: AuditOutlets,
}

impl System {
    /// Wires a store that is open to everything else. `address` is the one that is listened on.
    pub(crate) async fn assemble(
        store: OpenStore,
        root_keys: NodeRootKeys,
        config: &Config,
        address: SocketAddr,
    ) -> Result<Self, Failure> {
        let OpenStore { reader, writer, leases, keys, audit_keys, kind: store_kind } = store;
        let NodeRootKeys { ring, watch: root_keys } = root_keys;
        let root_key: Arc<dyn RootKey> = Arc::clone(&ring) as _;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds);
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let callers = Callers::assemble(&reader, &keys, &root_key, (&clock, &ids, &entropy), (config, address))?;
        let Callers { authenticator, credentials } = callers;
        let local: Arc<dyn Kms> = Arc::new(LocalKms::new(Arc::clone(&root_key), Arc::clone(&entropy)));
        let ports = Ports {
            authenticator: Arc::clone(&authenticator),
            secrets: reader.clone(),
            keys: reader.clone(),
            tenancy: reader.clone(),
            directory: reader.clone(),
            setup: reader.clone(),
            credentials: Some(credentials),
            answers: reader.clone(),
            committer: writer.clone(),
            access_log: writer.clone(),
            audit_log: writer.clone(),
            audit: reader.clone(),
            leases,
            kms: region_kms::of_regions(reader.as_ref(), config, &local, (&clock, &entropy)).await?,
            import_keys: Some(Arc::new(WrappingKeys::new(root_key))),
            root_keys: Some(ring),
            audit_keys: Some(AuditKeyPorts { keys: audit_keys, verifier: Arc::new(Ed25519Verifier) }),
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: keys.answer_digest(),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            entropy,
        };
        let limits = Limits {
            max_value_len: config.limits.value_bytes,
            max_active_versions: config.limits.active_versions,
            keep_active_versions: config.limits.keep_active_versions,
            cache_bytes: config.limits.cache_bytes,
            check_key_permission: config.iam.check_key_permission,
        };
        let audit_outlets = AuditOutlets::of(&config.audit, &clock)?;
        let engine = Arc::new(Engine::new(ports, limits));
        Ok(Self {
            engine,
            authenticator,
            token_digest: keys.token_digest(),
            reader,
            writer,
            clock,
            ids,
            store_kind,
            root_keys,
            audit_outlets,
        })
    }

    /// The API over this system.
    pub(crate) fn api(&self, config: &Config) -> Api {
        let settings = Settings {
            trusted_proxies: config.listen.trusted_proxies.clone(),
            plain_values: config.plain_values,
            max_in_flight: NonZeroU32::new(config.limits.requests_in_flight),
            max_per_second: NonZeroU32::new(config.limits.requests_per_second),
            max_bulk_bytes: NonZeroUsize::new(config.limits.bulk_bytes_in_flight),
            ..Settings::default()
        };
        Api::new(Arc::clone(&self.engine), Arc::clone(&self.ids), Arc::clone(&self.clock), settings)
    }
}

/// How callers are known.
struct Callers {
    authenticator: Arc<dyn Authenticator>,
    credentials: CredentialPorts,
}

type Environment<'a> = (&'a Arc<dyn Clock>, &'a Arc<dyn IdGenerator>, &'a Arc<dyn Entropy>);

impl Callers {
    fn assemble(
        reader: &Arc<dyn Reads>,
        keys: &InstanceKeys,
        root_key: &Arc<dyn RootKey>,
        (clock, ids, entropy): Environment<'_>,
        (config, address): (&Config, SocketAddr),
    ) -> Result<Self, Failure> {
        let rules = FetchRules { private_addresses: config.iam.private_issuers, plain_http: false };
        let foreign =
            Arc::new(ForeignTokenVerifier::new(Arc::new(HttpsJwksFetcher::new(rules)), Arc::clone(clock), rules));
        for LoginConfig { issuer, jwks_uri, .. } in &config.iam.logins {
            foreign.check(None, jwks_uri.as_deref(), issuer).map_err(|rule| {
                let message = format!("the keys of the issuer {issuer}, of `iam.logins`, cannot be fetched: {rule}");
                Failure::new(Exit::Configuration, message)
            })?;
        }
        let ports = AccessTokenPorts {
            root_key: Arc::clone(root_key),
            entropy: Arc::clone(entropy),
            ids: Arc::clone(ids),
            setup: reader.clone(),
            clock: Arc::clone(clock),
        };
        let issuer = config.iam.issuer(address);
        let access_tokens = AccessTokens::new(issuer, ports, keys.token_signing())
            .map_err(|error| Failure::runtime("access tokens cannot be signed").because(error))?;
        let access_tokens = Arc::new(access_tokens);
        let login = |login: &LoginConfig| LoginIssuer {
            issuer: login.issuer.clone(),
            audience: login.audience.clone(),
            jwks_uri: login.jwks_uri.clone(),
        };
        let authenticator = StoreAuthenticator::new(AuthenticatorPorts {
            tokens: reader.clone(),
            directory: reader.clone(),
            digest: keys.token_digest(),
            access_tokens: Arc::clone(&access_tokens),
            foreign_tokens: Arc::clone(&foreign),
            logins: config.iam.logins.iter().map(login).collect(),
        });
        let credentials = CredentialPorts {
            tokens: reader.clone(),
            maker: Arc::new(StoreCredentialMaker::new(Arc::clone(entropy), keys.token_digest())),
            issuer: access_tokens,
            foreign,
        };
        Ok(Self { authenticator: Arc::new(authenticator), credentials })
    }
}
