use crate::double::{Double, Reply};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use strongroom_client::api::{KnownValue, RevealValues};
use strongroom_client::{ErrorKind, RevealOutcome, RevealedItem};

fn ok(path: &str) -> String {
    format!(
        r#"{{"path":"{path}","status":"ok","version":1,"etag":"1-1","secretString":"aGk=","kmsKeyIdentity":"k","kmsKeyVersion":"1"}}"#
    )
}

fn failed(path: &str, status: &str, code: &str) -> String {
    format!(r#"{{"path":"{path}","status":"{status}","code":"{code}","message":"No."}}"#)
}

fn answer(items: &[String], next: Option<&str>) -> Reply {
    let next = next.map(|next| format!(r#","nextCursor":"{next}""#)).unwrap_or_default();
    Reply::json(200, &format!(r#"{{"items":[{}]{next}}}"#, items.join(",")))
}

fn told(items: &[RevealedItem]) -> Vec<String> {
    let outcome = |item: &RevealedItem| match &item.outcome {
        RevealOutcome::Revealed(revealed) => format!("{} {}", item.path, revealed.version),
        RevealOutcome::Unchanged { etag, .. } => format!("{} unchanged {etag}", item.path),
        RevealOutcome::Denied(why) => format!("{} denied {}", item.path, why.code),
        RevealOutcome::Missing(why) => format!("{} missing {}", item.path, why.code),
        RevealOutcome::Failed(why) => format!("{} failed {}", item.path, why.code),
    };
    items.iter().map(outcome).collect()
}

fn asked(double: &Double, at: usize) -> RevealValues {
    serde_json::from_str(&double.requests()[at].body).expect("a body")
}

#[tokio::test]
async fn many_paths_go_in_hundreds() {
    let double = Double::start(|_, request| {
        let asked: RevealValues = serde_json::from_str(&request.body).expect("a body");
        let items: Vec<_> = asked.paths.expect("paths").iter().map(|path| ok(path)).collect();
        answer(&items, None)
    })
    .await;
    let mut paths: Vec<_> = (0..250).map(|n| format!("/a/{n}")).collect();
    paths.push("/a/7".to_owned());
    let known =
        BTreeMap::from([("/a/120".to_owned(), KnownValue::Version(3)), ("/b".to_owned(), KnownValue::Version(1))]);
    let items: Vec<_> = double.client().secrets("r").reveal_many(&paths, &known).try_collect().await.expect("all");
    let got: Vec<_> = items.iter().map(|item| item.path.clone()).collect();
    assert_eq!(got, paths[..250]);
    let sizes: Vec<_> = (0..3).map(|at| asked(&double, at).paths.expect("paths").len()).collect();
    assert_eq!((sizes, double.count()), (vec![100, 100, 50], 3));
    assert_eq!((asked(&double, 0).known, asked(&double, 1).known.map(|known| known.len())), (None, Some(1)));
    assert_eq!(double.requests()[0].line, "POST /v1/secrets/r/values");
    let none: [&str; 0] = [];
    assert_eq!(double.client().secrets("r").reveal_many(&none, &known).count().await, 0);
}

#[tokio::test]
async fn each_item_has_its_own_outcome() {
    let unchanged = r#"{"path":"/b","status":"unchanged","version":2,"etag":"2-2"}"#.to_owned();
    let items = [
        ok("/a"),
        unchanged,
        failed("/c", "denied", "forbidden"),
        failed("/d", "missing", "secret_not_found"),
        failed("/e", "failed", "kms_key_unusable"),
        failed("/f", "later", "of_another_release"),
    ];
    let double = Double::answering([Reply::HangUp, answer(&items, None)]).await;
    let paths = ["/a", "/b", "/c", "/d", "/e", "/f"];
    let items = double.client().secrets("r").reveal_many(&paths, &BTreeMap::new()).try_collect::<Vec<_>>().await;
    let expected = [
        "/a 1",
        "/b unchanged 2-2",
        "/c denied forbidden",
        "/d missing secret_not_found",
        "/e failed kms_key_unusable",
        "/f failed of_another_release",
    ];
    assert_eq!(told(&items.expect("all")), expected);
    assert_eq!(double.count(), 2);
}

#[tokio::test]
async fn what_had_no_room_is_asked_for_again() {
    let no_room = |path| failed(path, "failed", "answer_too_large");
    let double = Double::answering([
        answer(&[ok("/a/1"), no_room("/a/2"), no_room("/a/3")], Some("next")),
        answer(&[ok("/a/2"), no_room("/a/3")], None),
        answer(&[no_room("/a/3")], None),
        answer(&[ok("/a/4")], None),
    ])
    .await;
    let known = BTreeMap::from([
        ("/a/3".to_owned(), KnownValue::Version(9)),
        ("/a/4".to_owned(), KnownValue::Version(9)),
        ("/aa".to_owned(), KnownValue::Version(9)),
    ]);
    let items = double.client().secrets("r").reveal_prefix("/a/", &known).try_collect::<Vec<_>>().await.expect("all");
    assert_eq!(told(&items), ["/a/1 1", "/a/2 1", "/a/3 failed answer_too_large", "/a/4 1"]);
    assert_eq!(asked(&double, 1).paths.expect("paths"), ["/a/2", "/a/3"]);
    let last = asked(&double, 3);
    assert_eq!((last.path_prefix.as_deref(), last.cursor.as_deref()), (Some("/a/"), Some("next")));
    let names = |at| asked(&double, at).known.map(|known| known.into_keys().collect::<Vec<_>>()).unwrap_or_default();
    assert_eq!(
        (names(0), names(1), names(3)),
        (vec!["/a/3".to_owned(), "/a/4".to_owned()], vec!["/a/3".to_owned()], vec!["/a/4".to_owned()])
    );
}

#[tokio::test]
async fn the_first_one_without_room_is_asked_for_alone() {
    // A server that has room for one value, and none beside another.
    let double = Double::start(|_, request| {
        let asked: RevealValues = serde_json::from_str(&request.body).expect("a body");
        let Some(paths) = asked.paths else {
            let items = ["/a/1", "/a/2", "/a/3"].map(|path| failed(path, "failed", "answer_too_large"));
            return answer(&items, None);
        };
        let fits = |path: &str| paths.len() == 1 && path != "/a/2";
        let item = |path: &String| if fits(path) { ok(path) } else { failed(path, "failed", "answer_too_large") };
        answer(&paths.iter().map(item).collect::<Vec<_>>(), None)
    })
    .await;
    let items = double.client().secrets("r").reveal_prefix("/a", &BTreeMap::new()).try_collect::<Vec<_>>().await;
    assert_eq!(told(&items.expect("all")), ["/a/1 1", "/a/2 failed answer_too_large", "/a/3 1"]);
    let items = double.client().secrets("r").reveal_many(&["/a/1", "/a/2"], &BTreeMap::new());
    let items = items.try_collect::<Vec<_>>().await.expect("all");
    assert_eq!(told(&items), ["/a/1 1", "/a/2 failed answer_too_large"]);
}

#[tokio::test]
async fn what_the_server_could_not_give_is_asked_for_again() {
    for code in ["kms_unavailable", "busy", "store_unavailable"] {
        let away = |path| failed(path, "failed", code);
        let double = Double::answering([
            answer(&[ok("/a"), away("/b"), ok("/c"), away("/d")], None),
            answer(&[ok("/b"), away("/d")], None),
            answer(&[ok("/d")], None),
        ])
        .await;
        let paths = ["/a", "/b", "/c", "/d"];
        let items = double.client().secrets("r").reveal_many(&paths, &BTreeMap::new()).try_collect::<Vec<_>>().await;
        assert_eq!(told(&items.expect("all")), ["/a 1", "/b 1", "/c 1", "/d 1"]);
        assert_eq!(asked(&double, 1).paths.expect("paths"), ["/b", "/d"]);
        assert_eq!(double.count(), 3);
    }
}

#[tokio::test]
async fn tries_of_items_have_an_end() {
    let double = Double::start(|_, request| {
        let asked: RevealValues = serde_json::from_str(&request.body).expect("a body");
        let item = |path: &String| failed(path, "failed", "kms_unavailable");
        answer(&asked.paths.expect("paths").iter().map(item).collect::<Vec<_>>(), None)
    })
    .await;
    let paths: Vec<_> = (0..350).map(|n| format!("/a/{n}")).collect();
    let items = double.client().secrets("r").reveal_many(&paths, &BTreeMap::new()).try_collect::<Vec<_>>().await;
    let items = items.expect("all");
    assert!(items.iter().map(|item| &item.path).eq(&paths));
    let is_told = |item: &RevealedItem| matches!(&item.outcome, RevealOutcome::Failed(why) if why.is_unavailable());
    assert!(items.iter().all(is_told));
    // Three times more for the first hundred, and then it is known.
    assert_eq!(double.count(), 7);
    // What will not pass is told at once.
    let double = Double::answering([answer(&[failed("/a", "failed", "kms_not_configured")], None)]).await;
    let items = double.client().secrets("r").reveal_many(&["/a"], &BTreeMap::new()).try_collect::<Vec<_>>().await;
    assert_eq!((items.expect("all").len(), double.count()), (1, 1));
    let final_ones = ["answer_too_large", "internal", "kms_key_unusable"];
    for code in final_ones {
        let double = Double::answering([answer(&[failed("/a", "failed", code)], None)]).await;
        let items = double.client().secrets("r").reveal_many(&["/a"], &BTreeMap::new()).try_collect::<Vec<_>>().await;
        let items = items.expect("all");
        assert!(matches!(&items[0].outcome, RevealOutcome::Failed(why) if !why.is_unavailable()), "{code}");
        assert_eq!(double.count(), 1, "{code}");
    }
}

#[tokio::test]
async fn the_order_stays_when_an_answer_has_no_room() {
    let no_room = |path| failed(path, "failed", "answer_too_large");
    let double = Double::answering([
        answer(&[ok("/c"), no_room("/b"), ok("/e"), no_room("/a"), failed("/d", "denied", "forbidden")], None),
        answer(&[ok("/b"), no_room("/a")], None),
        answer(&[ok("/a")], None),
    ])
    .await;
    let paths = ["/c", "/b", "/e", "/a", "/d"];
    let items = double.client().secrets("r").reveal_many(&paths, &BTreeMap::new()).try_collect::<Vec<_>>().await;
    assert_eq!(told(&items.expect("all")), ["/c 1", "/b 1", "/e 1", "/a 1", "/d denied forbidden"]);
    assert_eq!(asked(&double, 1).paths.expect("paths"), ["/b", "/a"]);

    // Paths that were not asked for yet come behind those that wait.
    let double = Double::start(|number, request| {
        let asked: RevealValues = serde_json::from_str(&request.body).expect("a body");
        let item = |(at, path): (usize, &String)| {
            if number == 0 && at == 1 { failed(path, "failed", "answer_too_large") } else { ok(path) }
        };
        answer(&asked.paths.expect("paths").iter().enumerate().map(item).collect::<Vec<_>>(), None)
    })
    .await;
    let paths: Vec<_> = (0..150).map(|n| format!("/a/{n}")).collect();
    let secrets = double.client().secrets("r");
    let items: Vec<_> = secrets.reveal_many(&paths, &BTreeMap::new()).try_collect().await.expect("all");
    assert!(items.iter().map(|item| &item.path).eq(&paths));
    assert_eq!(double.count(), 2);
}

#[tokio::test]
async fn answers_to_other_questions_are_refused() {
    for items in [
        vec![],
        vec![ok("/b")],
        vec![ok("/a"), ok("/a")],
        vec![r#"{"path":"/a","status":"ok","version":1}"#.to_owned()],
    ] {
        let double = Double::answering([answer(&items, None)]).await;
        let items: Vec<_> = double.client().secrets("r").reveal_many(&["/a"], &BTreeMap::new()).collect().await;
        let [item] = &items[..] else { panic!("one item") };
        assert_eq!(item.as_ref().map(|_| ()).map_err(|error| error.kind().clone()), Err(ErrorKind::BadAnswer));
    }
    let double = Double::answering([answer(&[ok("/a/1")], Some("same"))]).await;
    let items: Vec<_> = double.client().secrets("r").reveal_prefix("/a", &BTreeMap::new()).collect().await;
    assert_eq!((items.len(), double.count(), items[1].is_err()), (2, 2, true));

    // Pages without end, each with a cursor of its own.
    let double = Double::start(|number, _| answer(&[], Some(&format!("c{number}")))).await;
    let secrets = double.builder().most_pages(20).build().expect("a client").secrets("r");
    let error = secrets.reveal_prefix("/a", &BTreeMap::new()).try_collect::<Vec<_>>().await.err().expect("no end");
    assert_eq!((error.kind(), double.count()), (&ErrorKind::TooLarge, 20));
}
