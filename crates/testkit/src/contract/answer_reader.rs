//! Cases for [`AnswerReader`](strongroom_domain::port::AnswerReader).

use super::Store;
use crate::{build, units};
use strongroom_domain::unit::{AnswerKey, Change};

/// An answer is found by its key, expired or not; another key has none.
pub async fn an_answer_is_found_expired_or_not(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let ended = strongroom_domain::time::Timestamp::EPOCH;
    let answers = [build::answer(secret.id, 1, ended), build::answer(secret.id, 1, build::at(1_000_000_000))];
    store.commit(units::of(answers.iter().cloned().map(Change::RememberAnswer).collect())).await;
    for answer in answers {
        assert_eq!(store.answers.answer(&answer.key).await.expect("readable"), Some(answer));
    }
    assert_eq!(store.answers.answer(&AnswerKey([0; 32])).await.expect("readable"), None);
}
