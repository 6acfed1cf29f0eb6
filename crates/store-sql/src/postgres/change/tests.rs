//! Which changes of a unit are made by one statement.

use super::together;
use strongroom_domain::unit::{Change, Revision};
use strongroom_testkit::{build, units};

#[test]
fn erasures_of_one_secret_go_together_and_apart_from_others() {
    let secret = build::secret(build::scope(), "/a");
    let numbers = |numbers: &[u64]| numbers.iter().copied().map(build::number).collect::<Vec<_>>();
    let erasures = |of: &[u64]| units::append_and_erase(&secret, numbers(of)).0.changes;
    let three = erasures(&[1, 4, 3]);
    assert_eq!(together(&three), 1, "the put by itself");
    assert_eq!(together(&three[1..]), 3);
    assert_eq!(together(&three[3..]), 1);
    assert_eq!(together(&erasures(&[1, 4, 1])[1..]), 2, "one version twice");
    assert_eq!(together(&[]), 0);

    let other = build::secret(secret.scope, "/b");
    let mut mixed = three[1..].to_vec();
    mixed.insert(1, units::erase(&other, build::number(1), None).0.changes.remove(0));
    assert_eq!(together(&mixed), 1, "another secret");
    let answer = build::answer(secret.id, 9, build::at(1));
    let with_answer = [three[1].clone(), Change::RememberAnswer(answer), three[2].clone()];
    assert_eq!(together(&with_answer), 1);

    let mut gap = three[1..].to_vec();
    let Change::EraseVersion { state, .. } = &mut gap[2] else { panic!("erases") };
    state.revision = Revision::new(state.revision.get() + 1);
    assert_eq!(together(&gap), 2, "a revision that doesn't follow is told by itself");
}
