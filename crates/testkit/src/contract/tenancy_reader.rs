//! Cases for [`TenancyReader`](strongroom_domain::port::TenancyReader).

use super::Store;
use crate::{build, units};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::Change;

/// Identity and slug both name an organisation; an identity wins over an equal slug.
pub async fn organisation_by_identity_before_slug(store: Store) {
    let one = build::organisation("one");
    let namesake = Organisation { slug: one.id.to_string(), ..build::organisation("namesake") };
    let unknown = OrganisationId::new(build::uuid());
    let slug_like_identity = Organisation { slug: unknown.to_string(), ..build::organisation("third") };
    let all = [one.clone(), namesake.clone(), slug_like_identity.clone()];
    store.commit(units::of(all.map(Change::InsertOrganisation).to_vec())).await;
    for (name, wanted) in [
        ("one".to_owned(), Some(&one)),
        (one.id.to_string(), Some(&one)),
        (namesake.id.to_string(), Some(&namesake)),
        (unknown.to_string(), Some(&slug_like_identity)),
        ("One".to_owned(), None),
        ("on".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(store.tenancy.organisation(&name).await.expect("readable").as_ref(), wanted, "{name}");
    }
    assert_eq!(store.tenancy.organisation_by_id(unknown).await.expect("readable"), None);
    assert_eq!(store.tenancy.organisation_by_id(one.id).await.expect("readable"), Some(one));
}

/// All organisations come, ordered by slug, as they are now.
pub async fn organisations_are_ordered_by_slug(store: Store) {
    assert_eq!(store.tenancy.organisations().await.expect("readable"), []);
    let [c, a, b] = [store.organisation("c").await, store.organisation("a").await, store.organisation("b").await];
    assert_eq!(store.tenancy.organisations().await.expect("readable"), [a.clone(), b.clone(), c.clone()]);
    let moved = store.apply(units::replace_organisation(&a, |it| it.slug = "bb".to_owned())).await;
    assert_eq!(store.tenancy.organisations().await.expect("readable"), [b, moved, c]);
}

/// All regions come, ordered by slug.
pub async fn regions_are_ordered_by_slug(store: Store) {
    assert_eq!(store.tenancy.regions().await.expect("readable"), []);
    let changes = ["nl-02", "be-01", "nl-01"].map(|slug| Change::InsertRegion(build::region(slug)));
    store.commit(units::of(changes.to_vec())).await;
    let slugs: Vec<_> =
        store.tenancy.regions().await.expect("readable").into_iter().map(|region| region.slug).collect();
    assert_eq!(slugs, ["be-01", "nl-01", "nl-02"]);
}
