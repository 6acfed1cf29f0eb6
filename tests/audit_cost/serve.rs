//! The server: put together as `strongroomd` is, over a new SQLite store.

use crate::Outcome;
use crate::discard::Discard;
use async_trait::async_trait;
use core::time::Duration;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use strongroom::setup::{FirstTokens, SetUp, set_up};
use strongroom::{AuditKeyPorts, CredentialPorts, Engine, Limits, Ports};
use strongroom_auth::{
    AccessTokenPorts, AccessTokens, AuthenticatorPorts, FetchRules, ForeignTokenVerifier, HttpsJwksFetcher,
    StoreAuthenticator, StoreCredentialMaker,
};
use strongroom_crypto::{Aes256GcmCipher, Ed25519Verifier, OsEntropy};
use strongroom_domain::port::{
    AccessLog, AuditLog, AuditSigner, Clock, Committer, CredentialMaker, IdGenerator, Kms, RootKey,
};
use strongroom_domain::time::Timestamp;
use strongroom_http::{Api, ServeOptions, Settings};
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{InstanceKeys, RootKeyRing, SoftwareRootKey, key_check};
use strongroom_store_sql::{OpenOptions, SqliteStore};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The region that the store begins with.
pub(crate) const REGION: &str = "nl-01";

/// What becomes of records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    AsItIs,
    Discarded,
}

struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

struct SystemIds;

impl IdGenerator for SystemIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Serves until it is killed; tells its address and the owner's token on standard output.
pub(crate) fn serve(folder: &Path, log: Log) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (engine, owner) = assemble(folder, log).await?;
        if log == Log::AsItIs {
            tokio::spawn(index(Arc::clone(&engine)));
            tokio::spawn(checkpoint(Arc::clone(&engine)));
        }
        let api = Api::new(engine, Arc::new(SystemIds), Arc::new(SystemClock), Settings::default());
        writeln!(std::io::stdout(), "{} {owner}", listener.local_addr()?)?;
        strongroom_http::serve(listener, api, ServeOptions::default(), core::future::pending()).await;
        Ok(())
    })
}

/// As the server does beside its requests.
async fn index(engine: Arc<Engine>) {
    loop {
        let begun = Instant::now();
        let more = engine.index_audit(200).await.is_ok_and(|indexed| indexed.more);
        let rest = (begun.elapsed() * 10).clamp(Duration::from_millis(5), Duration::from_millis(100));
        tokio::time::sleep(if more { rest } else { Duration::from_millis(250) }).await;
    }
}

async fn checkpoint(engine: Arc<Engine>) {
    loop {
        if let Err(error) = engine.checkpoint_audit().await {
            // It goes into the figures as it is; whoever reads them should know.
            let _ = writeln!(std::io::stderr(), "audit_cost: no checkpoint: {error}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn assemble(folder: &Path, log: Log) -> Outcome<(Arc<Engine>, String)> {
    std::fs::create_dir_all(folder)?;
    let (clock, ids, entropy) = (Arc::new(SystemClock), Arc::new(SystemIds), Arc::new(OsEntropy));
    let ring = Arc::new(RootKeyRing::of(SoftwareRootKey::generate(entropy.clone())?));
    let root_key: Arc<dyn RootKey> = ring.clone();
    let (keys, instance_keys) = InstanceKeys::generate(root_key.as_ref(), &OsEntropy)?;
    let store = Arc::new(SqliteStore::open(OpenOptions::new(folder.join("strongroom.db")).create()).await?);
    let audit_keys = Arc::new(keys.audit_keys(Arc::clone(&root_key), entropy.clone(), None)?);
    let signer: Arc<dyn AuditSigner> = audit_keys.clone();
    let writer = Arc::new(store.writer(signer, ids.clone())?);
    let maker = Arc::new(StoreCredentialMaker::new(entropy.clone(), keys.token_digest()));
    let tokens = FirstTokens { owner: maker.token()?, operator: maker.token()? };
    let what = SetUp {
        key_check: key_check(root_key.as_ref())?,
        instance_keys,
        organisation: "Bench".to_owned(),
        regions: vec![REGION.to_owned()],
    };
    let made = set_up(writer.as_ref(), ids.as_ref(), clock.now(), what, &tokens).await?;
    let owner = String::from_utf8(tokens.owner.token.expose().to_vec())?;

    let rules = FetchRules::default();
    let foreign = Arc::new(ForeignTokenVerifier::new(Arc::new(HttpsJwksFetcher::new(rules)), clock.clone(), rules));
    let ports = AccessTokenPorts {
        root_key: Arc::clone(&root_key),
        entropy: entropy.clone(),
        ids: ids.clone(),
        setup: store.clone(),
        clock: clock.clone(),
    };
    let issuer = Arc::new(AccessTokens::new("https://bench.example".to_owned(), ports, keys.token_signing())?);
    let authenticator = StoreAuthenticator::new(AuthenticatorPorts {
        tokens: store.clone(),
        directory: store.clone(),
        digest: keys.token_digest(),
        access_tokens: issuer.clone(),
        foreign_tokens: foreign.clone(),
        logins: Vec::new(),
    });
    let (committer, access_log, audit_log): (Arc<dyn Committer>, Arc<dyn AccessLog>, Arc<dyn AuditLog>) = match log {
        Log::AsItIs => (writer.clone(), writer.clone(), writer.clone()),
        Log::Discarded => {
            let discard = Arc::new(Discard(writer.clone()));
            (discard.clone(), discard.clone(), discard)
        }
    };
    let kms: Arc<dyn Kms> = Arc::new(LocalKms::new(root_key, entropy.clone()));
    let ports = Ports {
        authenticator: Arc::new(authenticator),
        secrets: store.clone(),
        keys: store.clone(),
        tenancy: store.clone(),
        directory: store.clone(),
        setup: store.clone(),
        credentials: Some(CredentialPorts { tokens: store.clone(), maker, issuer, foreign }),
        answers: store.clone(),
        committer,
        access_log,
        audit_log,
        audit: store,
        leases: writer,
        kms: HashMap::from_iter(made.regions.iter().map(|region| (region.id, Arc::clone(&kms)))),
        import_keys: None,
        root_keys: Some(ring),
        audit_keys: Some(AuditKeyPorts { keys: audit_keys, verifier: Arc::new(Ed25519Verifier) }),
        cipher: Arc::new(Aes256GcmCipher),
        answer_digest: keys.answer_digest(),
        clock,
        ids,
        entropy,
    };
    Ok((Arc::new(Engine::new(ports, Limits::default())), owner))
}
