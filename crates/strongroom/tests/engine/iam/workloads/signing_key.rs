use super::shop::Shop;
use crate::support::{bytes, code};
use strongroom::Code;
use strongroom::domain::port::{Credential, SetupReader, TokenIssuer};
use strongroom::domain::root_key::InstanceKeyPurpose;
use strongroom::iam::access_credentials::NewAccessCredential;

#[tokio::test]
async fn tokens_are_signed_with_the_new_key_and_old_ones_stay_valid() {
    let shop = Shop::new().await;
    shop.workload("app").await;
    let owner = shop.owner().await;
    let make = shop.engine.create_access_credential(&owner, "app").await.expect("may");
    let created = make.run(NewAccessCredential::default()).await.expect("makes");
    let key = &created.credential.access_key;
    let old = shop.token(key, &created.secret).await.expect("issues").token;
    let before = shop.engine.discovery().expect("there");
    assert_eq!((before.issuer.as_str(), before.keys.len()), ("https://strongroom.example", 1));

    let operator = shop.caller(&bytes(b"operator")).await.expect("known");
    let new = shop.engine.rotate_signing_key(&operator).await.expect("rotates");
    assert_eq!(shop.last().await, "system.signing_key.rotate success 200 instance_key token-signing");
    assert_eq!(shop.records().await.pop().expect("a record").resource.and_then(|it| it.version), Some(2));
    let keys = shop.engine.discovery().expect("there").keys;
    assert_eq!(keys, [new, before.keys[0].clone()]);
    assert_eq!(shop.issuer.keys(), keys);
    let fresh = shop.token(key, &created.secret).await.expect("issues").token;
    let head = |token: &strongroom::domain::value::SecretBytes| {
        token.expose().split(|byte| *byte == b'.').next().map(<[u8]>::to_vec)
    };
    assert_ne!(head(&fresh), head(&old));
    assert!(shop.works(&fresh).await.is_ok() && shop.works(&old).await.is_ok());
    // Only the newest three verify.
    for _ in 0..2 {
        shop.engine.rotate_signing_key(&operator).await.expect("rotates");
    }
    assert_eq!(code(shop.works(&old).await), Some(Code::Unauthenticated));
    assert!(shop.works(&fresh).await.is_ok());
}

#[tokio::test]
async fn many_at_once_each_make_one() {
    let shop = Shop::new().await;
    let operator = shop.caller(&bytes(b"operator")).await.expect("known");
    let rotate = || shop.engine.rotate_signing_key(&operator);
    let (one, two, three) = tokio::join!(rotate(), rotate(), rotate());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let keys = shop.store.instance_keys().await.expect("reads");
    let versions: Vec<_> =
        keys.iter().filter(|key| key.purpose == InstanceKeyPurpose::TokenSigning).map(|key| key.version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[tokio::test]
async fn nobody_but_the_operator_rotates() {
    let shop = Shop::new().await;
    let owner = Credential::Token(bytes(shop.house.owner.to_string().as_bytes()));
    let owner = shop.engine.authenticate(Some(&owner), shop.request()).await.expect("known");
    assert_eq!(code(shop.engine.rotate_signing_key(&owner).await), Some(Code::Forbidden));
    assert_eq!(shop.last().await, "system.signing_key.rotate denied 403 instance_key token-signing");
    assert_eq!(shop.engine.discovery().expect("there").keys.len(), 1);
}

#[tokio::test]
async fn other_nodes_let_go_of_old_keys_in_their_next_round() {
    let shop = Shop::new().await;
    shop.workload("app").await;
    let owner = shop.owner().await;
    let make = shop.engine.create_access_credential(&owner, "app").await.expect("may");
    let created = make.run(NewAccessCredential::default()).await.expect("makes");
    let old = shop.token(&created.credential.access_key, &created.secret).await.expect("issues").token;
    let taken = async || {
        let credential = Credential::Token(bytes(old.expose()));
        shop.other_node.authenticate(Some(&credential), shop.request()).await.map(|_| ())
    };
    let keys = |engine: &strongroom::Engine| engine.discovery().expect("there").keys;
    assert_eq!(taken().await.map_err(|error| error.code()), Ok(()));
    let operator = shop.caller(&bytes(b"operator")).await.expect("known");
    for _ in 0..2 {
        shop.engine.rotate_signing_key(&operator).await.expect("rotates");
    }
    shop.other_node.frequent_housekeeping().await.expect("reads");
    assert_eq!(keys(&shop.other_node), keys(&shop.engine));
    assert!(taken().await.is_ok(), "the newest three verify");
    shop.engine.rotate_signing_key(&operator).await.expect("rotates");
    shop.other_node.housekeeping().await.expect("reads");
    assert_eq!(keys(&shop.other_node), keys(&shop.engine));
    assert_eq!(code(taken().await), Some(Code::Unauthenticated));
}
