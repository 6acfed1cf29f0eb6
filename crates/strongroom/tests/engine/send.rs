//! Every use case can be spawned on a runtime of many threads.

use crate::support::{World, bytes, key, number, path, string};
use std::collections::BTreeMap;
use strongroom::Engine;
use strongroom::Session;
use strongroom::domain::kms::{HashAlgorithm, SignInput};
use strongroom::domain::path::Directory;
use strongroom::domain::port::KeyFilter;
use strongroom::domain::version::VersionSelector;
use strongroom::kms::{CreateKeyInput, RotationPatch};
use strongroom::secret::{CreateInput, MetadataPatch};

fn sendable<F: Future + Send>(future: F) -> F {
    future
}

async fn all(engine: &Engine, session: &Session) {
    let labels = BTreeMap::new();
    let root = Directory::root();
    sendable(async {
        let key = engine.create_key(session).await.expect("allowed").run(CreateKeyInput::named("send")).await;
        let input = CreateInput::string(&key.expect("creates"), bytes(b"x"));
        engine.create(session, path("/a")).await.expect("allowed").run(input, None).await.expect("creates");
    })
    .await;
    sendable(async { engine.put(session, path("/a")).await.expect("allowed").run(string(b"y"), None).await })
        .await
        .expect("puts");
    sendable(async {
        engine.reveal(session, path("/a")).await.expect("allowed").run(VersionSelector::Current).await.is_ok()
    })
    .await;
    sendable(async { engine.describe(session, path("/a")).await.expect("allowed").run(None).await.is_ok() }).await;
    sendable(async { engine.list(session, &root).await.expect("allowed").page(None, 1, &labels).await.is_ok() }).await;
    sendable(async { engine.browse(session, &root).await.expect("allowed").page(None, 1, &labels).await.is_ok() })
        .await;
    sendable(async {
        engine.patch(session, path("/a")).await.expect("allowed").run(MetadataPatch::default().into()).await.is_ok()
    })
    .await;
    sendable(async { engine.set_policy(session, path("/a")).await.expect("allowed").run(None).await.is_ok() }).await;
    sendable(async { engine.destroy(session, path("/a")).await.expect("allowed").run(number(1)).await.is_ok() }).await;
    sendable(async { engine.delete(session, path("/a")).await.expect("allowed").run().await.is_ok() }).await;
    sendable(async { engine.keys(session).await.expect("allowed").run(KeyFilter::default()).await.is_ok() }).await;
    sendable(async { engine.key(session, "send").await.expect("allowed").run().await.is_ok() }).await;
    sendable(async { engine.encrypt(session, "send").await.expect("allowed").run(bytes(b"x"), None).await.is_ok() })
        .await;
    sendable(async { engine.decrypt(session, "send").await.expect("allowed").run("x").await.is_ok() }).await;
    sendable(async { engine.rotate(session, "send").await.expect("allowed").run().await.is_ok() }).await;
    let input = || SignInput { hash: HashAlgorithm::Sha256, prehashed: false, bytes: bytes(b"x") };
    sendable(async { engine.sign(session, "send").await.expect("allowed").run(input(), None).await.is_ok() }).await;
    sendable(async { engine.verify(session, "send").await.expect("allowed").run(input(), "x").await.is_ok() }).await;
    sendable(async { engine.hmac(session, "send").await.expect("allowed").run(b"x", None, None).await.is_ok() }).await;
    sendable(async { engine.verify_hmac(session, "send").await.expect("allowed").run(b"x", "x", None).await.is_ok() })
        .await;
    sendable(async { engine.public_key(session, "send").await.expect("allowed").run(None).await.is_ok() }).await;
    sendable(async { engine.wrapping_key(session).await.expect("allowed").run().await.is_ok() }).await;
    sendable(async { engine.export(session, "send").await.expect("allowed").run(None).await.is_ok() }).await;
    sendable(async {
        engine.set_rotation(session, "send").await.expect("allowed").run(RotationPatch::Clear).await.is_ok()
    })
    .await;
    sendable(async { engine.delete_key(session, "send").await.expect("allowed").run().await.is_ok() }).await;
    sendable(async { engine.cancel_deletion(session, "send").await.expect("allowed").run().await.is_ok() }).await;
    sendable(async { engine.switch(session, "send", false).await.expect("allowed").run().await.is_ok() }).await;
}

#[tokio::test]
async fn every_use_case_is_send() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    all(room.engine(), &session).await;
    let before = key(&room, &session, "other").await;
    assert_eq!(before.versions.len(), 1);
}
