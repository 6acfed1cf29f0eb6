use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::unit::{Answer, Change, Expect, UniqueKey};

async fn is_remembered(store: &Store, answer: &Answer) -> bool {
    let read = store.answers.answer(&answer.key).await.expect("readable");
    assert!(read.is_none() || read.as_ref() == Some(answer), "{read:?}");
    read.is_some()
}

fn remember<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Vec<Change> {
    answers.into_iter().cloned().map(Change::RememberAnswer).collect()
}

/// `RememberAnswer`: kept with every field, in the unit that makes the version.
pub async fn remember_answer_keeps_every_field(store: Store) {
    let secret = build::secret(build::scope(), "/a");
    let answer = Answer { answer: vec![0, 255, 34, 0], ..build::answer(secret.id, 1, build::at(9)) };
    let mut unit = units::insert(&secret);
    unit.changes.extend(remember([&answer]));
    store.commit(unit).await;
    assert!(is_remembered(&store, &answer).await);
}

/// `EraseVersion` erases the digests of the answers of that version, and no others; the answers stay until they expire.
pub async fn erase_version_keeps_its_answers_without_digests(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let other = store.insert(build::secret(secret.scope, "/b")).await;
    let secret = store.apply(units::append(&secret)).await;
    let of_it = [build::answer(secret.id, 1, build::at(9)), build::answer(secret.id, 1, build::at(8))];
    let others = [build::answer(secret.id, 2, build::at(9)), build::answer(other.id, 1, build::at(9))];
    store.commit(units::of(remember(of_it.iter().chain(&others)))).await;
    let secret = store.apply(units::erase(&secret, build::number(1), None)).await;
    let left = of_it.map(|answer| Answer { body: None, ..answer });
    for answer in left.iter().chain(&others) {
        assert!(is_remembered(&store, answer).await);
    }
    // So do those of versions that go with a put, and its own keeps its digest.
    let own = build::answer(secret.id, 3, build::at(9));
    let (mut unit, secret) = units::append_and_erase(&secret, vec![build::number(2)]);
    unit.changes.extend(remember([&own]));
    store.commit(unit).await;
    let [second, of_other] = others;
    let second = Answer { body: None, ..second };
    for answer in left.iter().chain([&second, &of_other, &own]) {
        assert!(is_remembered(&store, answer).await);
    }
    // Its key is not free before its end.
    let again = Answer { key: second.key, ..build::answer(secret.id, 3, build::at(9)) };
    store.conflicts(units::of(remember([&again])), &Expect::Absent(UniqueKey::Answer(second.key))).await;
    store.commit(units::of(vec![Change::PruneAnswers { before: build::at(9), limit: 10 }])).await;
    let [late, early] = &left;
    assert!(is_remembered(&store, late).await && !is_remembered(&store, early).await);
    store.commit(units::delete(&secret)).await;
    for answer in [late, &second, &own] {
        assert!(!is_remembered(&store, answer).await);
    }
    assert!(is_remembered(&store, &of_other).await);
}

/// `DeleteSecret` takes the answers of the secret, and no others.
pub async fn delete_secret_takes_its_answers(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let other = store.insert(build::secret(secret.scope, "/b")).await;
    let secret = store.apply(units::append(&secret)).await;
    let gone = [build::answer(secret.id, 1, build::at(9)), build::answer(secret.id, 2, build::at(8))];
    let kept = build::answer(other.id, 1, build::at(9));
    store.commit(units::of(remember(gone.iter().chain([&kept])))).await;
    store.commit(units::delete(&secret)).await;
    for answer in &gone {
        assert!(!is_remembered(&store, answer).await);
    }
    assert!(is_remembered(&store, &kept).await);
}

/// `ForgetAnswer`: forgets that one and no other, if it has expired, and its key is free; again is fine.
pub async fn forget_answer_frees_its_key(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let (first, second) = (build::answer(secret.id, 1, build::at(60)), build::answer(secret.id, 1, build::at(60)));
    store.commit(units::of(remember([&first, &second]))).await;
    for second in [0, 59, 60] {
        store.commit(units::of(vec![Change::ForgetAnswer { key: first.key, before: build::at(second) }])).await;
        assert!(is_remembered(&store, &first).await, "it has not expired before second {second}");
    }
    for _ in 0..2 {
        store.commit(units::of(vec![Change::ForgetAnswer { key: first.key, before: build::at(61) }])).await;
        assert!(!is_remembered(&store, &first).await);
        assert!(is_remembered(&store, &second).await);
    }
    store.commit(units::of(remember([&first]))).await;
    assert!(is_remembered(&store, &first).await);
}

/// `PruneAnswers`: forgets what has expired, at most so many, and then their keys are free.
pub async fn prune_answers_is_bounded(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let expired: Vec<_> = (1..=5).map(|second| build::answer(secret.id, 1, build::at(second))).collect();
    let valid = build::answer(secret.id, 1, build::at(60));
    store.commit(units::of(remember(expired.iter().chain([&valid])))).await;
    let mut left = Vec::new();
    for limit in [0, 3, 10] {
        store.commit(units::of(vec![Change::PruneAnswers { before: build::at(30), limit }])).await;
        let mut count = 0;
        for answer in &expired {
            count += u32::from(is_remembered(&store, answer).await);
        }
        left.push(count);
        assert!(is_remembered(&store, &valid).await);
    }
    assert_eq!(left, [5, 2, 0]);
    store.commit(units::of(remember([&expired[0]]))).await;
    assert!(is_remembered(&store, &expired[0]).await);
}
