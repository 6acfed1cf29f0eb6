//! Values of many secrets at once, and values that are known already.

use crate::support::{START, World, code, create, key, number, path, put, rule, user};
use crate::unruly_kms::UnrulyKms;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom::domain::kms::Key;
use strongroom::domain::path::{Directory, SecretPath};
use strongroom::domain::port::{AccessErrorKind, CommitErrorKind, ReadErrorKind};
use strongroom::domain::value::SecretValue;
use strongroom::domain::version::VersionSelector;
use strongroom::embed::Embedded;
use strongroom::secret::{Item, Known, MAX_GIVEN_LEN, MAX_REVEALED_AT_ONCE, Page, RevealBelow, Revealing};
use strongroom::{Code, Error, Limits, Session};
use strongroom_testkit::{Faulty, ManualClock, When};

type KnownValues = BTreeMap<String, Known>;

fn unruly() -> (World, Arc<UnrulyKms>) {
    let mut world = World::new();
    let kms = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = Arc::clone(&kms) as _;
    (world, kms)
}

fn paths(texts: &[&str]) -> Vec<SecretPath> {
    texts.iter().map(|text| path(text)).collect()
}

/// What an item says, in a line: a value's version and text, that it is unchanged, or the code.
fn told(outcome: &Result<Revealing, Error>) -> String {
    match outcome {
        Ok(Revealing::Value(revealed)) => match &revealed.value {
            SecretValue::String(bytes) => {
                format!("{} {}", revealed.version, String::from_utf8_lossy(bytes.expose()))
            }
            SecretValue::KeyValue(_) => panic!("these tests store strings"),
        },
        Ok(Revealing::Unchanged(unchanged)) => format!("{} unchanged", unchanged.version),
        Err(error) => error.code().as_str().to_owned(),
    }
}

fn lines(items: &[Item]) -> Vec<(&str, String)> {
    items.iter().map(|item| (item.path.as_str(), told(&item.outcome))).collect()
}

async fn many(room: &Embedded, session: &Session, asked: &[&str], known: &KnownValues) -> Vec<Item> {
    room.engine().reveal_many(session).run(paths(asked), known).await.expect("legal")
}

async fn page(below: &RevealBelow<'_>, after: Option<String>, limit: u32, known: &KnownValues) -> Page<Item> {
    let paths = below.paths(after, limit).await.expect("reads");
    below.values(paths, known).await
}

async fn unless(room: &Embedded, session: &Session, at: &str, known: &[Known]) -> String {
    let reveal = room.engine().reveal(session, path(at)).await.expect("allowed");
    told(&reveal.run_unless(VersionSelector::Current, known).await)
}

async fn etag(room: &Embedded, session: &Session, at: &str) -> Known {
    let reveal = room.engine().reveal(session, path(at)).await.expect("allowed");
    Known::Etag(reveal.run(VersionSelector::Current).await.expect("reveals").etag.to_string())
}

async fn secrets(room: &Embedded, session: &Session, at: &[&str]) -> Arc<Key> {
    let key = key(room, session, "app").await;
    for path in at {
        create(room, session, path, &key, path.as_bytes()).await.expect("creates");
    }
    key
}

#[tokio::test]
async fn each_path_is_answered_and_recorded_by_itself() {
    let world = World::new();
    let room = world.node().await;
    let owner = room.session();
    secrets(&room, &owner, &["/app/a", "/app/b", "/app/empty", "/other"]).await;
    put(&room, &owner, "/app/b", b"second").await.expect("puts");
    let destroy = room.engine().destroy(&owner, path("/app/empty")).await.expect("allowed");
    destroy.run(number(1)).await.expect("destroys");
    let rules = [rule("secret", &["/app/*"], &["getSecretValue"]), rule("kms_key", &[], &["decrypt"])];
    let caller = room.session_with(user(), rules);
    let before = world.records().await.len();
    let known = KnownValues::from([("/app/a".to_owned(), Known::Number(number(1)))]);
    let asked = ["/app/b", "/other", "/app/none", "/app/a", "/app/empty", "/none"];
    let items = many(&room, &caller, &asked, &known).await;
    let expected = [
        ("/app/b", "2 second"),
        ("/other", "forbidden"),
        ("/app/none", "secret_not_found"),
        ("/app/a", "1 unchanged"),
        ("/app/empty", "no_active_version"),
        ("/none", "forbidden"),
    ];
    assert_eq!(lines(&items), expected.map(|(path, told)| (path, told.to_owned())));
    let message = |at: usize| items[at].outcome.as_ref().err().map(ToString::to_string);
    assert_eq!(message(1), message(5), "a denied path tells nothing of what is there");

    let mut log = world.records().await.split_off(before);
    log.sort_by_key(|record| record.resource.as_ref().map(|resource| resource.identity.clone()));
    let log: Vec<_> = log
        .iter()
        .map(|record| {
            let resource = record.resource.as_ref().expect("named");
            let named = if resource.kind.as_str() == "secret" { resource.identity.as_str() } else { "the key" };
            (named, record.action.as_str(), record.outcome.as_str(), record.status, resource.version)
        })
        .collect();
    let read = "secret.value.read";
    assert_eq!(
        log,
        [
            ("/app/a", read, "success", 304, Some(1)),
            ("/app/b", read, "success", 200, Some(2)),
            ("/app/empty", read, "failure", 404, None),
            ("/app/none", read, "failure", 404, None),
            ("/none", read, "denied", 403, None),
            ("/other", read, "denied", 403, None),
            ("the key", "kms.decrypt", "success", 200, Some(1)),
        ]
    );
}

#[tokio::test]
async fn what_is_known_is_decided_as_a_reveal_and_costs_no_key() {
    let (world, kms) = unruly();
    let room = world.node().await;
    let owner = room.session();
    let key = secrets(&room, &owner, &["/a"]).await;
    let first = etag(&room, &owner, "/a").await;
    *kms.calls_left.lock().expect("no panic") = Some(0);
    for known in [first.clone(), Known::Number(number(1))] {
        let before = world.records().await.len();
        assert_eq!(unless(&room, &owner, "/a", &[Known::Number(number(7)), known]).await, "1 unchanged");
        assert_eq!(world.log_after(before).await, [("secret.value.read", "success", 304)]);
        let record = world.records().await.pop().expect("one");
        assert!(record.decided_by.is_some_and(|rule| rule.starts_with("rule-")), "it says what allowed it");
    }
    for other in [Known::Number(number(2)), Known::Etag("1-1".to_owned()), Known::Etag("1".to_owned())] {
        assert_eq!(unless(&room, &owner, "/a", &[other]).await, "kms_unavailable", "the KMS is asked");
    }

    let keyless = room.session_with(user(), [rule("secret", &[], &["getSecretValue"])]);
    assert_eq!(unless(&room, &keyless, "/a", std::slice::from_ref(&first)).await, "kms_key_forbidden");
    let disable = room.engine().switch(&owner, key.slug.as_str(), false).await.expect("allowed");
    disable.run().await.expect("disables");
    assert_eq!(unless(&room, &owner, "/a", &[first]).await, "kms_key_unusable");
}

#[tokio::test]
async fn a_value_that_another_node_changed_is_not_unchanged() {
    let mut world = World::new();
    // Nothing is told by the time alone.
    world.clock = Arc::new(ManualClock::new(START));
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    let key = secrets(&room, &session, &["/a"]).await;
    let first = etag(&room, &session, "/a").await;
    let known = [first.clone(), Known::Number(number(1))];
    assert_eq!(unless(&room, &session, "/a", &known).await, "1 unchanged", "now it is cached");
    put(&other, &session, "/a", b"new").await.expect("puts");
    assert_eq!(unless(&room, &session, "/a", &known).await, "2 new");

    // Deleted and made anew: its first version is another value.
    other.engine().delete(&session, path("/a")).await.expect("allowed").run().await.expect("deletes");
    assert_eq!(unless(&room, &session, "/a", &known).await, "secret_not_found");
    create(&other, &session, "/a", &key, b"anew").await.expect("creates");
    assert_eq!(unless(&room, &session, "/a", &[first]).await, "1 anew");
    assert_eq!(
        unless(&room, &session, "/a", &[Known::Number(number(1))]).await,
        "1 unchanged",
        "a number is only that"
    );
}

/// What a node has cached may be older than what its caller knows: it must not cost a key to find out.
#[tokio::test]
async fn what_another_node_put_is_known_without_a_key() {
    let (world, kms) = unruly();
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    secrets(&room, &session, &["/a", "/b"]).await;
    for path in ["/a", "/b"] {
        assert_eq!(unless(&room, &session, path, &[]).await, format!("1 {path}"), "now it is cached");
        put(&other, &session, path, b"new").await.expect("puts");
    }
    let known = etag(&other, &session, "/a").await;
    *kms.calls_left.lock().expect("no panic") = Some(0);
    let before = world.records().await.len();
    assert_eq!(unless(&room, &session, "/a", std::slice::from_ref(&known)).await, "2 unchanged");
    let known = KnownValues::from([("/a".to_owned(), known), ("/b".to_owned(), Known::Number(number(2)))]);
    let items = many(&room, &session, &["/a", "/b"], &known).await;
    assert_eq!(lines(&items), ["/a", "/b"].map(|path| (path, "2 unchanged".to_owned())));
    assert_eq!(world.log_after(before).await, [("secret.value.read", "success", 304); 3]);
}

#[tokio::test]
async fn which_paths_may_be_asked_for() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let numbered: Vec<String> = (0..=MAX_REVEALED_AT_ONCE).map(|n| format!("/s{n}")).collect();
    let numbered: Vec<&str> = numbered.iter().map(String::as_str).collect();
    let before = world.records().await.len();
    for wrong in [&[][..], &["/a", "/b", "/a"], &numbered] {
        let refused = room.engine().reveal_many(&session).run(paths(wrong), &KnownValues::new()).await;
        assert_eq!(code(refused), Some(Code::InvalidRequest), "{} paths", wrong.len());
    }
    assert_eq!(world.log_after(before).await, [("secret.value.read", "failure", 400); 3]);
    let items = many(&room, &session, &numbered[1..], &KnownValues::new()).await;
    assert_eq!(items.len(), MAX_REVEALED_AT_ONCE);
    assert!(items.iter().zip(&numbered[1..]).all(|(item, path)| item.path.as_str() == *path), "in their order");
}

#[tokio::test]
async fn below_a_directory_in_pages() {
    let world = World::new();
    let room = world.node().await;
    let owner = room.session();
    let all = ["/app/a", "/app/b/c", "/app/d", "/app/x", "/apple", "/other/a"];
    secrets(&room, &owner, &all).await;
    let rules = [
        rule("secret", &["/app/*", "/other/*"], &["read", "list"]),
        rule("secret", &["/app/a", "/app/d", "/app/x"], &["getSecretValue"]),
        rule("kms_key", &[], &["decrypt"]),
    ];
    let caller = room.session_with(user(), rules);
    let app: Directory = "/app".parse().expect("legal");
    let known = KnownValues::from([
        ("/app/d".to_owned(), Known::Number(number(1))),
        ("not asked for".to_owned(), Known::Number(number(1))),
    ]);
    let before = world.records().await.len();
    let below = room.engine().reveal_below(&caller, &app).await.expect("allowed");
    let first = page(&below, None, 3, &known).await;
    let expected = [("/app/a", "1 /app/a"), ("/app/b/c", "forbidden"), ("/app/d", "1 unchanged")];
    assert_eq!(lines(&first.items), expected.map(|(path, told)| (path, told.to_owned())));
    let rest = page(&below, first.next, u32::MAX, &known).await;
    assert_eq!((lines(&rest.items), rest.next), (vec![("/app/x", "1 /app/x".to_owned())], None));
    let log = world.log_after(before).await;
    assert_eq!(log.iter().filter(|(action, ..)| *action == "secret.list").count(), 1);

    let unseen = room.session_with(user(), [rule("secret", &["/app/*"], &["list", "getSecretValue"])]);
    let below = room.engine().reveal_below(&unseen, &app).await.expect("allowed");
    assert!(page(&below, None, 10, &known).await.items.is_empty(), "entries are those that may be read");
    let unlisted = room.session_with(user(), [rule("secret", &["/app/*"], &["read", "getSecretValue"])]);
    assert_eq!(code(room.engine().reveal_below(&unlisted, &app).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn values_that_are_too_much_together_stay_closed() {
    const LEN: usize = 1024 * 1024;
    let mut world = World::new();
    world.limits = Limits { max_value_len: LEN, ..Limits::default() };
    let room = world.node().await;
    let session = room.session();
    let key = secrets(&room, &session, &["/small"]).await;
    let names: Vec<String> = (0..40).map(|n| format!("/s{n:02}")).collect();
    for name in &names {
        create(&room, &session, name, &key, &vec![b'x'; LEN]).await.expect("creates");
    }
    let mut asked: Vec<&str> = names.iter().map(String::as_str).collect();
    asked.push("/none");
    let known = KnownValues::from([("/s39".to_owned(), Known::Number(number(1)))]);
    let before = world.records().await.len();
    let items = many(&room, &session, &asked, &known).await;
    let given = items.iter().filter(|item| matches!(item.outcome, Ok(Revealing::Value(_)))).count();
    assert_eq!(given, MAX_GIVEN_LEN / LEN - 1, "what is stored is a little longer than the value");
    let of = |code: &str| items.iter().filter(|item| told(&item.outcome) == code).count();
    assert_eq!((of("answer_too_large"), of("1 unchanged"), of("secret_not_found")), (39 - given, 1, 1));
    let log = world.log_after(before).await;
    let decrypted = log.iter().filter(|(action, ..)| *action == "kms.decrypt").count();
    assert_eq!(decrypted, given, "what is not given is not opened");
    assert_eq!(log.iter().filter(|(.., status)| *status == 413).count(), 39 - given);

    // Whoever asks again for what was left gets it.
    let left: Vec<&str> = items
        .iter()
        .filter(|item| told(&item.outcome) == "answer_too_large")
        .map(|item| item.path.as_str())
        .take(15)
        .collect();
    let again = many(&room, &session, &left, &known).await;
    assert!(again.iter().all(|item| item.outcome.is_ok()));
}

#[tokio::test]
async fn one_that_fails_leaves_the_others() {
    let (world, kms) = unruly();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let session = room.session();
    secrets(&room, &session, &["/a", "/c"]).await;
    let bad = key(&room, &session, "bad").await;
    create(&room, &session, "/b", &bad, b"b").await.expect("creates");
    kms.unreachable.lock().expect("no panic").insert(bad.spec.id);
    let none = KnownValues::new();
    let items = many(&room, &session, &["/a", "/b", "/c"], &none).await;
    let expected = [("/a", "1 /a"), ("/b", "kms_unavailable"), ("/c", "1 /c")];
    assert_eq!(lines(&items), expected.map(|(path, told)| (path, told.to_owned())));

    // No value without its records: neither where they can't be stored, nor where that a known value was asked for can't be queued.
    faulty.accesses.fail(When::Before, AccessErrorKind::Unavailable);
    let items = many(&room, &session, &["/a"], &none).await;
    assert_eq!(lines(&items), [("/a", "store_unavailable".to_owned())]);
    faulty.records.fail(When::Before, CommitErrorKind::Unavailable);
    assert_eq!(unless(&room, &session, "/a", &[Known::Number(number(1))]).await, "store_unavailable");
    // And a store that can't be read says so, rather than that nothing changed.
    faulty.reads.fail(When::Before, ReadErrorKind::Unavailable);
    assert_eq!(unless(&room, &session, "/a", &[Known::Number(number(1))]).await, "store_unavailable");
}

/// What a node has in its cache may have grown smaller meanwhile.
#[tokio::test]
async fn nothing_is_too_large_by_what_was_cached() {
    let mut world = World::new();
    world.limits = Limits { max_value_len: MAX_GIVEN_LEN, ..Limits::default() };
    let (here, there) = (world.node().await, world.node().await);
    let session = here.session();
    let key = secrets(&here, &session, &["/small"]).await;
    create(&here, &session, "/big", &key, &vec![b'x'; MAX_GIVEN_LEN - 1]).await.expect("creates");
    let asked = ["/small", "/big"];
    let known = KnownValues::new();
    assert_eq!(lines(&many(&there, &session, &asked, &known).await)[1], ("/big", "answer_too_large".to_owned()));
    assert!(unless(&there, &session, "/big", &[]).await.starts_with("1 x"), "now it is cached");
    put(&here, &session, "/big", b"less").await.expect("puts");
    assert_eq!(lines(&many(&there, &session, &asked, &known).await)[1], ("/big", "2 less".to_owned()));
}
