use crate::Fixture;
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use strongroom_client::api::KnownValue;
use strongroom_client::{PutOptions, RevealOutcome};

#[tokio::test]
async fn many_values_are_revealed_at_once() {
    let fixture = Fixture::start();
    let secrets = fixture.secrets();
    let paths: Vec<_> = (0..120).map(|n| format!("/app/{n:03}")).collect();
    let names: Vec<_> = paths.iter().map(String::as_str).collect();
    fixture.fill(&names).await;
    let mut known = BTreeMap::new();
    let items: Vec<_> = secrets.reveal_prefix("/app/", &known).try_collect().await.expect("all");
    assert!(items.iter().map(|item| &item.path).eq(&paths));
    for item in items {
        let RevealOutcome::Revealed(revealed) = item.outcome else { panic!("{} is not revealed", item.path) };
        assert_eq!(crate::single(&revealed.value), item.path.as_bytes());
        known.insert(item.path, KnownValue::Etag(revealed.etag.expect("an etag")));
    }
    secrets.put("/app/110", &crate::text("new").into(), &PutOptions::default()).await.expect("put");
    let items: Vec<_> = secrets.reveal_prefix("/app", &known).try_collect().await.expect("all");
    let changed = items.iter().filter(|item| !matches!(item.outcome, RevealOutcome::Unchanged { .. }));
    assert!(changed.map(|item| item.path.as_str()).eq(["/app/110"]));

    let asked = ["/app/007", "/nothing", "/app/110"];
    let items: Vec<_> = secrets.reveal_many(&asked, &known).try_collect().await.expect("all");
    assert!(items.iter().map(|item| item.path.as_str()).eq(asked));
    assert!(matches!(items[0].outcome, RevealOutcome::Unchanged { version: 1, .. }));
    assert!(matches!(&items[1].outcome, RevealOutcome::Missing(why) if why.code == "secret_not_found"));
    assert!(matches!(&items[2].outcome, RevealOutcome::Revealed(revealed) if revealed.version == 2));
}
