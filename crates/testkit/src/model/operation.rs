use proptest::prelude::*;

/// Which secret: an index into a fixed list of scopes and paths, taken modulo its length.
pub type Place = usize;

/// One step of a sequence. Where it names what isn't there, the store must refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Adds a secret.
    Insert(Place),
    /// Adds a version; expecting a revision that never was, unless `fresh`.
    Append {
        /// Of which secret.
        place: Place,
        /// Whether the expectation is right.
        fresh: bool,
    },
    /// Adds a version, and destroys the oldest active ones; expecting a revision that never was, unless `fresh`.
    AppendAndErase {
        /// Of which secret.
        place: Place,
        /// How many at the most.
        oldest: u32,
        /// Whether the expectation is right.
        fresh: bool,
    },
    /// Destroys a version, active or not.
    Erase {
        /// Of which secret.
        place: Place,
        /// Which, modulo their count.
        pick: usize,
    },
    /// Replaces the metadata.
    ReplaceMetadata {
        /// Of which secret.
        place: Place,
        /// With which text.
        text: String,
    },
    /// Sets or clears how many active versions are kept.
    KeepVersions {
        /// Of which secret.
        place: Place,
        /// How many; 0 for all.
        most: u32,
    },
    /// Sets or clears the policy.
    ReplacePolicy {
        /// Of which secret.
        place: Place,
        /// Whether it is set.
        set: bool,
    },
    /// Removes a secret.
    Delete(Place),
    /// Reveals a version; with an old revision, unless `fresh`.
    Access {
        /// Of which secret.
        place: Place,
        /// Which, modulo their count.
        pick: usize,
        /// When.
        second: i64,
        /// Whether the revision is the secret's.
        fresh: bool,
    },
    /// Adds a key.
    InsertKey {
        /// In which of the scopes.
        scope: usize,
        /// Which of a few names.
        name: usize,
    },
    /// Adds a version to a key.
    AppendKeyVersion(usize),
    /// Replaces the status of a key.
    SetKeyStatus {
        /// Which key, modulo their count.
        pick: usize,
        /// Which status.
        status: usize,
    },
    /// Replaces when a key is rotated by itself, and which of its versions are retired.
    SetKeyRotation {
        /// Which key, modulo their count.
        pick: usize,
        /// After how many days; off for none.
        days: Option<u32>,
        /// The oldest version that is not retired.
        oldest: u32,
    },
    /// Replaces the handle of a key version.
    ReplaceKeyHandle {
        /// Which key, modulo their count.
        pick: usize,
        /// Which version, modulo their count.
        place: usize,
    },
    /// Removes a key, there or not.
    DeleteKey(usize),
    /// Expects a key version, and changes nothing.
    ExpectKeyVersion {
        /// Which key, modulo their count.
        pick: usize,
        /// Which version.
        version: u32,
    },
    /// Replaces the wrapped key of a version, active or not; of one that has another, unless `fresh`.
    Rewrap {
        /// Of which secret.
        place: Place,
        /// Which, modulo their count.
        pick: usize,
        /// Under which key version.
        key_version: u32,
        /// Whether it has the one that is to be replaced.
        fresh: bool,
    },
    /// Remembers an answer about the newest version of a secret.
    Remember {
        /// Of which secret.
        place: Place,
        /// When it ends.
        second: i64,
    },
    /// Adds a team to an organisation's directory, or replaces it; expecting a revision that never was, unless `fresh`. Makes the
    /// organisation when it isn't there.
    PutTeam {
        /// Which of the organisations.
        organisation: usize,
        /// Which of a few teams.
        team: usize,
        /// Which of a few slugs.
        slug: usize,
        /// Whether the expectation is right.
        fresh: bool,
    },
    /// Removes a team, there or not.
    DeleteTeam {
        /// Which of the organisations.
        organisation: usize,
        /// Which of a few teams.
        team: usize,
    },
    /// Forgets every answer that ended before.
    Prune {
        /// When.
        second: i64,
    },
}

/// Half of the steps meet at three secrets, the others spread over all.
fn places() -> impl Strategy<Value = Place> {
    prop_oneof![0..3_usize, 0..24_usize]
}

/// Sequences of up to eighty steps.
pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        8 => places().prop_map(Operation::Insert),
        6 => (places(), prop::bool::weighted(0.9)).prop_map(|(place, fresh)| Operation::Append { place, fresh }),
        4 => (places(), 0..4_u32, prop::bool::weighted(0.9))
            .prop_map(|(place, oldest, fresh)| Operation::AppendAndErase { place, oldest, fresh }),
        4 => (places(), any::<usize>()).prop_map(|(place, pick)| Operation::Erase { place, pick }),
        1 => (places(), 0..4_u32).prop_map(|(place, most)| Operation::KeepVersions { place, most }),
        2 => (places(), "[a-z]{0,6}").prop_map(|(place, text)| Operation::ReplaceMetadata { place, text }),
        2 => (places(), any::<bool>()).prop_map(|(place, set)| Operation::ReplacePolicy { place, set }),
        3 => places().prop_map(Operation::Delete),
        6 => (places(), any::<usize>(), 0..100_i64, prop::bool::weighted(0.8))
            .prop_map(|(place, pick, second, fresh)| Operation::Access { place, pick, second, fresh }),
        4 => (0..2_usize, any::<usize>()).prop_map(|(scope, name)| Operation::InsertKey { scope, name }),
        2 => any::<usize>().prop_map(Operation::AppendKeyVersion),
        4 => (any::<usize>(), any::<usize>()).prop_map(|(pick, status)| Operation::SetKeyStatus { pick, status }),
        3 => (any::<usize>(), prop::option::of(1..4_u32), 1..4_u32)
            .prop_map(|(pick, days, oldest)| Operation::SetKeyRotation { pick, days, oldest }),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(pick, place)| Operation::ReplaceKeyHandle { pick, place }),
        1 => any::<usize>().prop_map(Operation::DeleteKey),
        3 => (any::<usize>(), 1..4_u32)
            .prop_map(|(pick, version)| Operation::ExpectKeyVersion { pick, version }),
        4 => (places(), any::<usize>(), 1..5_u32, prop::bool::weighted(0.9))
            .prop_map(|(place, pick, key_version, fresh)| Operation::Rewrap { place, pick, key_version, fresh }),
        4 => (places(), 0..50_i64).prop_map(|(place, second)| Operation::Remember { place, second: 2 * second }),
        6 => (0..2_usize, 0..4_usize, 0..3_usize, prop::bool::weighted(0.9))
            .prop_map(|(organisation, team, slug, fresh)| Operation::PutTeam { organisation, team, slug, fresh }),
        2 => (0..2_usize, 0..4_usize)
            .prop_map(|(organisation, team)| Operation::DeleteTeam { organisation, team }),
        1 => (0..50_i64).prop_map(|second| Operation::Prune { second: 2 * second + 1 }),
    ];
    proptest::collection::vec(operation, 1..80)
}
