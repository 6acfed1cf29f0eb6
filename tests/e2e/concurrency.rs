//! Several clients at one path.

use crate::Stage;
use serde_json::json;
use std::collections::BTreeMap;
use strongroom_tests::{Client, base64};

/// Puts so many values, each its own, and gives the number that each got.
fn puts(client: &Client, name: &str, count: usize) -> Vec<(u64, String)> {
    let mut connection = client.connect();
    let target = format!("{}/versions", client.secret("/app/x"));
    (0..count)
        .map(|number| {
            let value = base64(format!("{name} {number}"));
            let request = client
                .request("POST", &target)
                .header("Connection", "keep-alive")
                .json(&json!({"secretString": value}));
            connection.send(&request.bytes()).expect("sent");
            let answer = connection.answer().expect("an answer").ok(201);
            (answer["version"].as_u64().expect("a number"), value)
        })
        .collect()
}

#[test]
fn two_put_at_once_200_times() {
    const TIMES: usize = 200;
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "first").ok(201);
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| puts(client, "one", TIMES));
        let two = scope.spawn(|| puts(client, "two", TIMES));
        (one.join().expect("no panic"), two.join().expect("no panic"))
    });
    for list in [&one, &two] {
        assert!(list.windows(2).all(|pair| pair[0].0 < pair[1].0), "a later put got an earlier number");
    }
    let all: BTreeMap<u64, String> = one.into_iter().chain(two).collect();
    let numbers: Vec<_> = all.keys().copied().collect();
    assert_eq!(numbers, (2..=2 * TIMES as u64 + 1).collect::<Vec<_>>(), "a number is missing or was given twice");
    let shown = client.get(format!("{}?includeVersions=true", client.secret("/app/x"))).ok(200);
    assert_eq!(shown["versions"].as_array().map(Vec::len), Some(2 * TIMES + 1));
    assert_eq!(shown["currentVersion"], 2 * TIMES + 1);
    for (version, value) in &all {
        assert_eq!(client.reveal("/app/x", Some(*version)).ok(200)["secretString"], *value, "version {version}");
    }
}

#[test]
fn one_creates_the_others_hear_of_it() {
    let stage = Stage::new();
    let client = &stage.client;
    for round in 0..40 {
        let path = format!("/app/{round}");
        let answers = std::thread::scope(|scope| {
            let calls = ["one", "two", "three"].map(|name| {
                (
                    name,
                    scope.spawn({
                        let path = &path;
                        move || client.create(path, name)
                    }),
                )
            });
            calls.map(|(name, call)| (name, call.join().expect("no panic")))
        });
        let winners: Vec<_> =
            answers.iter().filter(|(_, answer)| answer.status == 201).map(|(name, _)| *name).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        for (_, answer) in answers.iter().filter(|(_, answer)| answer.status != 201) {
            let _ = answer.clone().error(409, "secret_exists");
        }
        assert_eq!(client.reveal(&path, None).ok(200)["secretString"], base64(winners[0]));
    }
}

#[test]
fn one_of_those_who_expect_the_same_version_wins() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "1").ok(201);
    let target = format!("{}/versions", client.secret("/app/x"));
    for current in 1..=40_u64 {
        let answers = std::thread::scope(|scope| {
            let calls = [0, 1, 2].map(|caller| {
                let body = json!({"secretString": base64(format!("{caller}")), "expectedVersion": current});
                let target = &target;
                scope.spawn(move || client.post(target, &body))
            });
            calls.map(|call| call.join().expect("no panic"))
        });
        let winners: Vec<_> = (0..3).filter(|caller| answers[*caller].status == 201).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let _ = answer.clone().error(412, "version_mismatch");
        }
        assert_eq!(client.reveal("/app/x", Some(current + 1)).ok(200)["secretString"], base64(winners[0].to_string()));
    }
}

/// Reveals, destroys and a delete beside puts: every answer is one that some order of the calls explains.
#[test]
fn everything_at_once() {
    let stage = Stage::new();
    let client = &stage.client;
    for round in 0..10 {
        let path = &format!("/app/{round}");
        let _ = client.create(path, "1").ok(201);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..10 {
                    let answer = client.put_value(path, "n");
                    assert!(matches!(answer.status, 201 | 404), "{answer:?}");
                }
            });
            scope.spawn(move || {
                for version in 1..=10 {
                    let answer = client.destroy(path, version);
                    assert!(matches!(answer.status, 204 | 404), "{answer:?}");
                }
            });
            scope.spawn(move || {
                for _ in 0..10 {
                    let answer = client.reveal(path, None);
                    assert!(matches!(answer.status, 200 | 404), "{answer:?}");
                }
                client.delete(client.secret(path)).empty();
            });
        });
        let _ = client.describe(path).error(404, "secret_not_found");
        assert_eq!(client.create(path, "anew").ok(201)["currentVersion"], 1);
        assert_eq!(client.reveal(path, None).ok(200)["secretString"], base64("anew"));
    }
}
