//! An engine over a store of one organisation, in which everybody may do everything.

use crate::Outcome;
use crate::progress::Progress;
use crate::records::Records;
use async_trait::async_trait;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use strongroom::audit::{AuditPage, AuditQuery};
use strongroom::{Engine, Limits, Needs, OrganisationSession, Ports, Target};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_domain::audit::{Action, RequestInfo};
use strongroom_domain::iam::{Grants, Rule};
use strongroom_domain::id::{CredentialId, OrganisationId, RequestId, RuleId, UserId};
use strongroom_domain::port::{
    AccessLog, AnswerReader, AuditLog, AuditReader, AuthenticateError, Authenticated, Authenticator, Committer,
    Credential, DirectoryReader, IdGenerator, KeyReader, Leases, SecretReader, SetupReader, TenancyReader,
};
use strongroom_domain::principal::{Caller, CredentialScopes, Membership, Principal, Reach, Token};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Unit};
use strongroom_domain::value::SecretBytes;
use strongroom_store_sql::{OpenOptions, PostgresOptions, PostgresStore, PostgresWriter, SqliteStore, SqliteWriter};
use strongroom_testkit::{FixedSigner, MachineClock, SequentialIds};
use uuid::Uuid;

/// How many records one commit appends.
const AT_ONCE: u64 = 2_000;
/// How many one round of the index takes.
const INDEXED_AT_ONCE: u32 = 2_000;

struct Everybody(OrganisationId);

#[async_trait]
impl Authenticator for Everybody {
    async fn authenticate(&self, _: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let grants = Arc::new(Grants::compile(vec![Rule::everything(RuleId::new(Uuid::from_u128(1)))]));
        let reach = Reach::Given(vec![Membership { organisation: self.0, grants }]);
        let (user, credential) = (UserId::new(Uuid::from_u128(1)), CredentialId::new(Uuid::from_u128(2)));
        let caller = Caller::new(Principal::User(user), credential, CredentialScopes::ALL, reach);
        Ok(Authenticated::Caller(Arc::new(caller)))
    }

    fn forget(&self, _: &Token) {}
}

enum Writer {
    Sqlite(Arc<SqliteWriter>),
    Postgres(Arc<PostgresWriter>),
}

pub(crate) struct Site {
    pub(crate) organisation: OrganisationId,
    engine: Engine,
    committer: Arc<dyn Committer>,
    session: OrganisationSession,
    writer: Writer,
}

impl Site {
    /// A new store: in PostgreSQL at this URL, else in this folder.
    pub(crate) async fn open(folder: &Path, url: Option<&str>) -> Outcome<Self> {
        let ids = Arc::new(SequentialIds::of_node(1));
        match url {
            None => {
                let options = OpenOptions::new(folder.join("strongroom.db")).create();
                let store = Arc::new(SqliteStore::open(options).await?);
                let writer = Arc::new(store.writer(Arc::new(FixedSigner), ids.clone())?);
                Self::with(store, writer.clone(), writer.clone(), ids, Writer::Sqlite(writer)).await
            }
            Some(url) => {
                let store = Arc::new(PostgresStore::open(PostgresOptions::parse(url)?.create()).await?);
                let writer = Arc::new(store.writer(Arc::new(FixedSigner), ids.clone()).await?);
                Self::with(store.clone(), writer.clone(), store, ids, Writer::Postgres(writer)).await
            }
        }
    }

    async fn with<S, W>(
        store: Arc<S>,
        write: Arc<W>,
        leases: Arc<dyn Leases>,
        ids: Arc<SequentialIds>,
        writer: Writer,
    ) -> Outcome<Self>
    where
        S: SecretReader
            + KeyReader
            + TenancyReader
            + DirectoryReader
            + AnswerReader
            + SetupReader
            + AuditReader
            + 'static,
        W: Committer + AccessLog + AuditLog + 'static,
    {
        let organisation = OrganisationId::new(ids.next());
        let made = Organisation::new(organisation, "Bench".to_owned(), "bench".to_owned(), Timestamp::EPOCH);
        write.commit(Unit { changes: vec![Change::InsertOrganisation(made)], ..Unit::default() }).await?;
        let ports = Ports {
            authenticator: Arc::new(Everybody(organisation)),
            secrets: store.clone(),
            keys: store.clone(),
            tenancy: store.clone(),
            directory: store.clone(),
            setup: store.clone(),
            credentials: None,
            answers: store.clone(),
            committer: write.clone(),
            access_log: write.clone(),
            audit_log: write.clone(),
            audit: store,
            leases,
            kms: HashMap::new(),
            import_keys: None,
            root_keys: None,
            audit_keys: None,
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[9; 32]), 1)),
            clock: Arc::new(MachineClock),
            ids: ids.clone(),
            entropy: Arc::new(OsEntropy),
        };
        let engine = Engine::new(ports, Limits::default());
        let request = Arc::new(RequestInfo::embedded(RequestId::new(ids.next())));
        let credential = Credential::Token(SecretBytes::copy_of(b"anybody"));
        let call = engine.authenticate(Some(&credential), request).await?;
        let target = Target { action: Action::AuditRead, resource: None };
        let session = engine.enter_organisation(call, None, Needs::Read, target).await?;
        Ok(Self { organisation, engine, committer: write, session, writer })
    }

    /// Appends so many records.
    pub(crate) async fn seed(&self, records: &Records, count: u64, mut progress: Progress) -> Outcome<()> {
        let mut next = 0;
        while next < count {
            let end = count.min(next + AT_ONCE);
            let records = (next..end).map(|n| records.record(n)).collect();
            self.committer.commit(Unit { records, ..Unit::default() }).await?;
            progress.add(end - next);
            next = end;
        }
        Ok(())
    }

    /// Until every record can be found.
    pub(crate) async fn index(&self, mut progress: Progress) -> Outcome<()> {
        loop {
            let round = self.engine.index_audit(INDEXED_AT_ONCE).await?;
            progress.add(round.records.into());
            if !round.more {
                return Ok(());
            }
        }
    }

    pub(crate) async fn page(&self, query: &AuditQuery) -> Outcome<AuditPage> {
        Ok(self.engine.audit(&self.session).await?.run(query).await?)
    }

    pub(crate) async fn close(self) {
        match &self.writer {
            Writer::Sqlite(writer) => writer.close().await,
            Writer::Postgres(writer) => writer.close().await,
        }
    }
}
