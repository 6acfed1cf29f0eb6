//! Units that change the directory, while another node does.

use super::{DONE, Fared, Fixture, applied, race};
use strongroom_domain::directory::{Team, User};
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision, UniqueKey, Unit};
use strongroom_testkit::{build, units};

/// A fixture that has this organisation.
async fn with(organisation: &Organisation) -> Fixture {
    let fixture = Fixture::new().await;
    let insert = units::of(vec![Change::InsertOrganisation(organisation.clone())]);
    assert_eq!(applied(&mut fixture.connect().await, vec![insert]).await, [DONE]);
    fixture
}

fn put(user: &User) -> Unit {
    units::of(vec![units::put(user.clone())])
}

fn held(user: &User) -> Fared {
    Fared::Conflict(units::handle_is_free(&user.clone().into()))
}

#[tokio::test]
async fn a_login_that_another_node_takes_is_a_conflict_of_that_unit() {
    let fixture = Fixture::new().await;
    let (theirs, bystander) = (build::user(), build::user());
    let ours = User { login: theirs.login.clone(), ..build::user() };
    assert!(ours.login.is_some());
    let fared = race(&fixture, vec![put(&theirs)], vec![put(&bystander), put(&ours)]).await;
    assert_eq!(fared, [DONE, held(&ours)]);
    assert_eq!(fixture.count("directory_objects"), 2);
}

#[tokio::test]
async fn a_user_keeps_its_login_when_another_node_takes_the_new_one() {
    let fixture = Fixture::new().await;
    let (user, theirs) = (build::user(), build::user());
    applied(&mut fixture.connect().await, vec![put(&user)]).await;
    let moved = User { login: theirs.login.clone(), ..user.clone() };
    let fared = race(&fixture, vec![put(&theirs)], vec![put(&moved), put(&build::user())]).await;
    assert_eq!(fared, [held(&moved), DONE]);
    let kept = units::expecting(vec![units::handle_is_free(&user.clone().into())], Vec::new());
    assert_eq!(applied(&mut fixture.connect().await, vec![kept]).await, [held(&user)]);
    assert_eq!(fixture.count("directory_objects"), 3);
}

#[tokio::test]
async fn of_two_nodes_that_revise_one_organisation_one_does() {
    let organisation = build::organisation("o");
    let fixture = with(&organisation).await;
    let team = |slug| units::put(build::team(organisation.id, slug));
    let unguarded = |slug| Unit { expect: Vec::new(), ..units::revise(&organisation, vec![team(slug)]).0 };
    let wanted = Fared::Conflict(units::unchanged_organisation(&organisation));
    let fared = race(&fixture, vec![unguarded("a")], vec![unguarded("b")]).await;
    assert_eq!(fared, [wanted]);
    assert_eq!(fixture.count("directory_objects"), 1);

    let absent = build::organisation("absent");
    let revised = units::revise(&absent, vec![units::put(build::team(absent.id, "a"))]).0;
    let fared = applied(&mut fixture.connect().await, vec![revised]).await;
    assert_eq!(fared, [Fared::Conflict(Expect::Revision(AggregateId::Organisation(absent.id), Revision::FIRST))]);
    assert_eq!(fixture.count("directory_objects"), 1);
}

/// Within one unit a handle may go from one object to another, and an object may get another handle.
#[tokio::test]
async fn a_unit_moves_handles() {
    let organisation = build::organisation("o");
    let fixture = with(&organisation).await;
    let (a, b) = (build::team(organisation.id, "a"), build::team(organisation.id, "b"));
    let mut connection = fixture.connect().await;
    let (unit, next) = units::revise(&organisation, vec![units::put(a.clone()), units::put(b.clone())]);
    assert_eq!(applied(&mut connection, vec![unit]).await, [DONE]);

    let named = |team: &Team, slug: &str| {
        let mut team = team.clone();
        slug.clone_into(&mut team.named.slug);
        units::put(team)
    };
    let swap = vec![named(&a, "c"), named(&b, "a"), named(&a, "b")];
    let (unit, next) = units::revise(&next, swap);
    assert_eq!(applied(&mut connection, vec![unit]).await, [DONE]);
    let handles = "SELECT handle FROM directory_objects ORDER BY id";
    assert_eq!(fixture.database.sql(handles), [["b"], ["a"]]);

    let (unit, _) = units::revise(&next, vec![named(&a, "z"), named(&b, "z")]);
    let held = UniqueKey::Handle(Some(organisation.id), strongroom_domain::directory::ObjectKind::Team, "z".to_owned());
    assert_eq!(applied(&mut connection, vec![unit]).await, [Fared::Conflict(Expect::Absent(held))]);
    assert_eq!(fixture.database.sql(handles), [["b"], ["a"]], "nothing of it stays");
}

#[tokio::test]
async fn slugs_that_another_node_takes_are_conflicts() {
    let organisation = build::organisation("o");
    let fixture = with(&organisation).await;
    let region = build::region("r");
    applied(&mut fixture.connect().await, vec![units::of(vec![Change::InsertRegion(region.clone())])]).await;

    let bystander = || units::insert(&build::secret(build::scope(), "/bystander"));
    let moved = units::replace_organisation(&organisation, |it| it.slug = "taken".to_owned()).0;
    let theirs = units::of(vec![Change::InsertOrganisation(build::organisation("taken"))]);
    let fared = race(&fixture, vec![theirs], vec![bystander(), moved]).await;
    let taken = Expect::Absent(UniqueKey::OrganisationSlug("taken".to_owned()));
    assert_eq!(fared, [DONE, Fared::Conflict(taken)]);
    assert_eq!(fixture.count("organisations WHERE slug = 'o' AND revision = 1"), 1, "nothing of it stays");

    let moved = units::of(vec![Change::ReplaceRegion(Region { slug: "taken".to_owned(), ..region })]);
    let theirs = units::of(vec![Change::InsertRegion(build::region("taken"))]);
    let fared = race(&fixture, vec![theirs], vec![bystander(), moved]).await;
    let taken = Expect::Absent(UniqueKey::RegionSlug("taken".to_owned()));
    assert_eq!(fared, [DONE, Fared::Conflict(taken)]);
}
