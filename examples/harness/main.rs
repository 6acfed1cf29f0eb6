//! A test harness for a service of one's own: the real engine with everything in memory, no server, no file and no container. The clock
//! is the test's, and the KMS can be unplugged.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod mailer;

use core::time::Duration;
use mailer::{MailError, Mailer};
use std::sync::Arc;
use strongroom::domain::audit::AuditRecord;
use strongroom::domain::iam::Rule;
use strongroom::domain::id::{RuleId, StreamId, UserId};
use strongroom::domain::kms::Key;
use strongroom::domain::path::SecretPath;
use strongroom::domain::port::{AuditReader, KmsErrorKind};
use strongroom::domain::time::Timestamp;
use strongroom::domain::value::{SecretBytes, SecretValue};
use strongroom::embed::{Embedded, Environment};
use strongroom::kms::CreateKeyInput;
use strongroom::secret::{CreateInput, PutInput};
use strongroom::{Limits, ValueInput};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_kms_memory::MemoryKms;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{FaultyKms, FixedSigner, ManualClock, SequentialIds, When};
use uuid::Uuid;

const PASSWORD: &str = "/mail/smtp/password";

/// What a test has in its hands.
struct Harness {
    room: Embedded,
    key: Arc<Key>,
    store: Arc<MemoryStore>,
    kms: Arc<FaultyKms>,
    clock: Arc<ManualClock>,
}

impl Harness {
    async fn new() -> Self {
        let entropy = Arc::new(OsEntropy);
        let store = Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil())));
        let kms = Arc::new(FaultyKms::new(Arc::new(MemoryKms::new(entropy.clone()))));
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_750_000_000_000_000)));
        let environment = Environment {
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[7; 32]), 1)),
            clock: clock.clone(),
            ids: Arc::new(SequentialIds::new()),
            entropy,
        };
        let room = Embedded::start(store.clone(), kms.clone(), environment, Limits::default()).await.expect("starts");
        let session = room.session();
        let key = room.engine().create_key(&session).await.expect("allowed").run(CreateKeyInput::named("mail")).await;
        Self { room, key: key.expect("creates"), store, kms, clock }
    }

    async fn create(&self, path: &str, value: &str) {
        let (session, path) = (self.room.session(), path.parse::<SecretPath>().expect("a path"));
        let input = CreateInput::string(&self.key, SecretBytes::copy_of(value.as_bytes()));
        let create = self.room.engine().create(&session, path).await.expect("allowed");
        create.run(input, None).await.expect("creates");
    }

    async fn put(&self, path: &str, value: &str) {
        let (session, path) = (self.room.session(), path.parse::<SecretPath>().expect("a path"));
        let value = ValueInput::Value(SecretValue::String(SecretBytes::copy_of(value.as_bytes())));
        let put = self.room.engine().put(&session, path).await.expect("allowed");
        put.run(PutInput { value, expected: None }, None).await.expect("puts");
    }

    /// The service, as a user with the rights that it will have in production.
    fn mailer(&self) -> Mailer {
        let rules = [rule("secret", "/mail/*", "getSecretValue"), rule("kms_key", "mail", "decrypt")];
        let session = self.room.session_with(UserId::new(Uuid::from_u128(42)), rules);
        Mailer::new(self.room.shared_engine(), session, PASSWORD.parse().expect("a path"))
    }

    /// What the audit log says of reveals: outcome, and when.
    async fn reveals(&self) -> Vec<(&'static str, Timestamp)> {
        let mut records: Vec<AuditRecord> = Vec::new();
        for stream in self.store.streams().await.expect("readable") {
            let page = self.store.records(stream, 0, 1_000).await.expect("readable");
            records.extend(page.into_iter().map(|chained| chained.record));
        }
        let reveals = records.iter().filter(|record| record.action.as_str() == "secret.value.read");
        reveals.map(|record| (record.outcome.as_str(), record.at)).collect()
    }
}

fn rule(resource: &str, which: &str, permission: &str) -> Rule {
    Rule {
        id: RuleId::new(Uuid::from_u128(1)),
        resources: vec![resource.to_owned()],
        resource_identities: vec![which.to_owned()],
        permissions: vec![permission.to_owned()],
        note: String::new(),
    }
}

#[tokio::test]
async fn it_sends_with_the_current_password() {
    let harness = Harness::new().await;
    let mailer = harness.mailer();
    assert_eq!(mailer.send("hello").await, Err(MailError::NotConfigured));
    harness.create(PASSWORD, "first").await;
    assert_eq!(mailer.send("hello").await.expect("sent").version, 1);
    harness.put(PASSWORD, "second").await;
    let sent = mailer.send("hello").await.expect("sent");
    assert_eq!((sent.version, sent.authentication), (2, mailer::authentication(b"second", "hello")));
}

#[tokio::test]
async fn every_use_of_the_password_is_in_the_audit_log() {
    let harness = Harness::new().await;
    harness.create(PASSWORD, "first").await;
    let mailer = harness.mailer();
    let began = strongroom::domain::port::Clock::now(&*harness.clock);
    mailer.send("one").await.expect("sent");
    harness.clock.advance(Duration::from_secs(3600));
    mailer.send("two").await.expect("sent");
    let later = Timestamp::from_micros(began.as_micros() + 3_600_000_000);
    assert_eq!(harness.reveals().await, [("success", began), ("success", later)]);
}

#[tokio::test]
async fn its_rights_end_at_its_own_paths() {
    let harness = Harness::new().await;
    harness.create("/shop/db/password", "not for the mailer").await;
    let greedy = Mailer::new(
        harness.room.shared_engine(),
        harness.room.session_with(UserId::new(Uuid::from_u128(42)), [rule("secret", "/mail/*", "*")]),
        "/shop/db/password".parse().expect("a path"),
    );
    assert_eq!(greedy.send("hello").await, Err(MailError::NotAllowed));
    let outcomes: Vec<_> = harness.reveals().await.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["denied"]);
}

#[tokio::test]
async fn without_the_kms_it_asks_to_try_later_and_recovers() {
    let harness = Harness::new().await;
    harness.create(PASSWORD, "first").await;
    let mailer = harness.mailer();

    harness.kms.unplug();
    assert_eq!(mailer.send("hello").await, Err(MailError::TryLater));
    assert_eq!(mailer.send("hello").await, Err(MailError::TryLater));
    harness.kms.plug_in();
    assert_eq!(mailer.send("hello").await.expect("sent").version, 1);

    harness.kms.calls.fail(When::Before, KmsErrorKind::Unavailable);
    assert_eq!(mailer.send("hello").await, Err(MailError::TryLater));
    assert_eq!(harness.kms.calls.left(), 0);
    assert_eq!(mailer.send("hello").await.expect("sent").version, 1);

    let outcomes: Vec<_> = harness.reveals().await.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "success").count(), 2, "{outcomes:?}");
}
