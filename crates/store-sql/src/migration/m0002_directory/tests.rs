//! Stores made by the first step alone, opened as they are now.

use super::super::Migrator;
use crate::{OpenOptions, PostgresOptions, PostgresStore, SqliteStore};
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, Value};
use strongroom_domain::directory::{
    DirectoryObject, MemberRole, ObjectKind, OrganisationMember, Role, Scopes, User, built_in_roles,
};
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::port::{DirectoryReader, ObjectQuery, ObjectSelector, TenancyReader, TokenReader};
use strongroom_domain::principal::{Token, TokenHolder};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Revision;
use strongroom_testkit::SequentialIds;
use uuid::Uuid;

const FIRST: Uuid = Uuid::from_u128(1);
const SECOND: Uuid = Uuid::from_u128(2);
const ADA: Uuid = Uuid::from_u128(11);
const BOB: Uuid = Uuid::from_u128(12);

async fn insert<const N: usize>(db: &DatabaseConnection, into: &str, values: [Value; N]) {
    let places: Vec<String> = (1..=N).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO {into} VALUES ({})", places.join(", "));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await.expect("inserted");
}

/// Two organisations: Ada has tokens of both, Bob one of the second.
async fn fill(url: &str) {
    let db = Database::connect(url).await.expect("connects");
    Migrator::up(&db, Some(1)).await.expect("made");
    for (id, slug, at) in [(FIRST, "first", 100_i64), (SECOND, "second", 200)] {
        let into = "organisations (id, name, slug, gate_secrets, gate_kms, gate_projects, created_at)";
        let values = [id.into(), "Name".into(), slug.into(), true.into(), false.into(), true.into(), at.into()];
        insert(&db, into, values).await;
    }
    let tokens = [
        (21_u8, ADA, FIRST, true, true, 300_i64, None),
        (22, ADA, SECOND, true, false, 250, Some(86_400_000_000_i64)),
        (23, ADA, SECOND, false, true, 400, None),
        (24, BOB, SECOND, false, false, 500, None),
    ];
    for (number, user, organisation, read, write, at, expires_at) in tokens {
        let into = "tokens (id, digest, digest_key_version, user_id, organisation, name, scope_read, scope_write,
                            created_at, expires_at)";
        let values = [
            Uuid::from_u128(number.into()).into(),
            vec![number; 32].into(),
            1_i64.into(),
            user.into(),
            organisation.into(),
            "administrator".into(),
            read.into(),
            write.into(),
            at.into(),
            expires_at.into(),
        ];
        insert(&db, into, values).await;
    }
    db.close().await.expect("closed");
}

async fn of<T: TryFrom<DirectoryObject>>(
    store: &impl DirectoryReader,
    kind: ObjectKind,
    organisation: Option<Uuid>,
) -> Vec<T> {
    let organisation = organisation.map(OrganisationId::new);
    let query = ObjectQuery { kind, organisation, which: ObjectSelector::All };
    let found = store.objects(&query).await.expect("readable");
    found.into_iter().map(|object| T::try_from(object).ok().expect("of its kind")).collect()
}

async fn check<S: DirectoryReader + TenancyReader + TokenReader>(store: &S) {
    let mut organisations = store.organisations().await.expect("readable");
    let second = organisations.pop().expect("two");
    assert_eq!((second.slug.as_str(), second.gates.kms, second.updated_at), ("second", false, None));
    assert_eq!((second.metadata, second.object_version, second.revision), (Metadata::default(), 1, Revision::FIRST));

    let users: Vec<User> = of(store, ObjectKind::User, None).await;
    let user = |id, micros| User {
        id: UserId::new(id),
        login: None,
        name: "administrator".to_owned(),
        email: String::new(),
        created_at: Timestamp::from_micros(micros),
    };
    assert_eq!(users, [user(ADA, 250), user(BOB, 500)]);

    for (organisation, owners) in [(FIRST, vec![(ADA, 300)]), (SECOND, vec![(ADA, 250), (BOB, 500)])] {
        let members: Vec<OrganisationMember> = of(store, ObjectKind::OrganisationMember, Some(organisation)).await;
        let mut found: Vec<_> = members.iter().map(|it| (it.user.uuid(), it.created_at.as_micros())).collect();
        found.sort_unstable();
        assert_eq!(found, owners);
        assert!(members.iter().all(|member| member.role == MemberRole::Owner));

        let mut roles: Vec<Role> = of(store, ObjectKind::Role, Some(organisation)).await;
        let mut expected = built_in_roles(&SequentialIds::new(), OrganisationId::new(organisation), Timestamp::EPOCH);
        let slug = |role: &Role| role.named.slug.clone();
        roles.sort_by_key(slug);
        expected.sort_by_key(slug);
        assert_eq!(roles.len(), expected.len());
        for (role, expected) in roles.iter().zip(&expected) {
            assert_eq!((slug(role), role.read_only), (slug(expected), true));
            assert_eq!(role.rules[0].permissions, expected.rules[0].permissions);
        }
    }

    let token = |number: u8, user, organisation, scopes: &[&str], micros| Token {
        id: CredentialId::new(Uuid::from_u128(number.into())),
        digest: [number; 32],
        digest_key_version: 1,
        holder: TokenHolder::User(UserId::new(user)),
        organisation: Some(OrganisationId::new(organisation)),
        name: "administrator".to_owned(),
        scopes: Scopes::new(scopes.iter().map(|&scope| scope.to_owned()).collect()).expect("known"),
        created_at: Timestamp::from_micros(micros),
        expires: None,
    };
    assert_eq!(store.by_digest(&[21; 32]).await.expect("readable"), Some(token(21, ADA, FIRST, &[], 300)));
    let mut of_ada = store.of_user(UserId::new(ADA)).await.expect("readable");
    let expires = of_ada[1].expires.take().expect("it ends");
    assert_eq!((expires.at.as_micros(), expires.text.as_str()), (86_400_000_000, "1970-01-02T00:00:00Z"));
    let expected = [
        token(21, ADA, FIRST, &[], 300),
        token(22, ADA, SECOND, &["api:read"], 250),
        token(23, ADA, SECOND, &["api:write"], 400),
    ];
    assert_eq!(of_ada, expected);
    let [of_bob] = store.of_user(UserId::new(BOB)).await.expect("readable").try_into().expect("one");
    assert!(!of_bob.scopes.allowed().read && !of_bob.scopes.allowed().write);
}

#[tokio::test]
async fn a_file_of_the_first_step_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("strongroom.db");
    fill(&format!("sqlite://{}?mode=rwc", path.display())).await;
    for _ in 0..2 {
        check(&SqliteStore::open(OpenOptions::new(&path)).await.expect("opens")).await;
    }
}

#[tokio::test]
async fn a_database_of_the_first_step_opens() {
    let database = tokio::task::spawn_blocking(strongroom_test_postgres::database).await.expect("a database");
    fill(database.url()).await;
    for _ in 0..2 {
        let options = PostgresOptions::parse(database.url()).expect("a URL");
        check(&PostgresStore::open(options).await.expect("opens")).await;
    }
}
