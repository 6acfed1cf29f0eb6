//! Proptest strategies for domain values.

use proptest::prelude::*;
use strongroom_domain::id::{OrganisationId, ProjectId, RegionId};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::VersionNumber;
use uuid::Uuid;

/// One segment of a path, of every legal character, `.` and `..` left out.
pub fn segments() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_.+-]{1,12}".prop_filter("`.` and `..` are no segments", |text| text != "." && text != "..")
}

fn joined(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(segments(), 1..=most)
        .prop_map(|segments| segments.iter().flat_map(|segment| ["/", segment.as_str()]).collect())
}

/// Paths of one to six segments.
pub fn paths() -> impl Strategy<Value = SecretPath> {
    joined(6).prop_filter_map("a path", |text: String| text.parse().ok())
}

/// Directories of up to four levels, the root among them.
pub fn directories() -> impl Strategy<Value = Directory> {
    let below = joined(4).prop_filter_map("a directory", |text: String| text.parse().ok());
    prop_oneof![1 => Just(Directory::root()), 6 => below]
}

/// Any UUID.
pub fn uuids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

/// Scopes with and without a project.
pub fn scopes() -> impl Strategy<Value = Scope> {
    (uuids(), uuids(), proptest::option::of(uuids())).prop_map(|(organisation, region, project)| Scope {
        organisation: OrganisationId::new(organisation),
        region: RegionId::new(region),
        project: project.map(ProjectId::new),
    })
}

/// Points in time over all representable years.
pub fn timestamps() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::from_micros(i64::MAX).as_micros()).prop_map(Timestamp::from_micros)
}

/// Version numbers, small ones most of the time.
pub fn version_numbers() -> impl Strategy<Value = VersionNumber> {
    prop_oneof![4 => 1..20_u64, 1 => 1..=i64::MAX as u64].prop_filter_map("a version number", VersionNumber::new)
}

/// Metadata with a few labels and annotations.
pub fn metadata() -> impl Strategy<Value = Metadata> {
    let key = "[A-Za-z0-9]([A-Za-z0-9._/-]{0,20}[A-Za-z0-9])?";
    let labels = proptest::collection::btree_map(key, "[^\\p{Cc}]{0,40}", 0..4);
    let annotations = proptest::collection::btree_map(key, "\\PC{0,80}", 0..4);
    ("\\PC{0,200}", labels, annotations).prop_filter_map("legal metadata", |(description, labels, annotations)| {
        Metadata::new(description, labels, annotations).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strategies_give_legal_values(
            path in super::paths(),
            directory in super::directories(),
            number in super::version_numbers(),
            at in super::timestamps(),
            metadata in super::metadata(),
        ) {
            prop_assert_eq!(path.to_string().parse(), Ok(path));
            prop_assert_eq!(directory.to_string().parse(), Ok(directory));
            prop_assert!(number.get() >= 1);
            prop_assert_eq!(strongroom_domain::time::Timestamp::from_micros(at.as_micros()), at);
            prop_assert!(metadata.labels().len() < 4);
        }
    }
}
