//! Setup, tenancy, tokens, KMS keys, secrets, answers, and the audit log.

use super::{Columns, index, table};
use sea_orm_migration::sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::{
    ConditionalStatement, Expr, ExprTrait, ForeignKey, ForeignKeyCreateStatement, IndexCreateStatement,
    TableCreateStatement,
};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_first_secret"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = &Columns::of(manager);
        let tables = setup(columns).into_iter().chain(tenancy(columns)).chain(keys(columns)).chain(secrets(columns));
        for table in tables.chain(audit(columns)).chain([leases(columns)]) {
            manager.create_table(table).await?;
        }
        if !columns.is_postgres() {
            for table in materials(columns) {
                manager.create_table(table).await?;
            }
            manager.create_index(materials_index()).await?;
        }
        for index in indexes().into_iter().chain(audit_indexes()) {
            manager.create_index(index).await?;
        }
        if columns.is_postgres() {
            for setting in STORAGE {
                manager.get_connection().execute_unprepared(setting).await?;
            }
        }
        Ok(())
    }
}

/// How PostgreSQL keeps rows: ciphertext is not worth compressing, and rows that change often have room to change in place.
const STORAGE: [&str; 4] = [
    "ALTER TABLE secret_versions ALTER COLUMN wrapped SET STORAGE EXTERNAL",
    "ALTER TABLE secret_versions ALTER COLUMN payload SET STORAGE EXTERNAL",
    "ALTER TABLE secrets SET (fillfactor = 85)",
    "ALTER TABLE secret_access SET (fillfactor = 80)",
];

fn belongs_to(table: &'static str, column: &'static str, owner: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, column).to(owner, "id").to_owned()
}

fn setup(c: &Columns) -> [TableCreateStatement; 2] {
    [
        // One row at most: `id` is always 1.
        table("key_check", [c.number("id"), c.bytes("root_key"), c.bytes("sealed")], &["id"]),
        table(
            "instance_keys",
            [c.text("purpose"), c.number("version"), c.bytes("sealed"), c.bytes_or_null("public")],
            &["purpose", "version"],
        ),
    ]
}

fn tenancy(c: &Columns) -> [TableCreateStatement; 3] {
    [
        table(
            "organisations",
            [
                c.id("id"),
                c.text("name"),
                c.text("slug"),
                c.flag("gate_secrets"),
                c.flag("gate_kms"),
                c.flag("gate_projects"),
                c.number("created_at"),
            ],
            &["id"],
        ),
        table(
            "regions",
            [
                c.id("id"),
                c.text("name"),
                c.text("slug"),
                c.text("description"),
                c.flag("kms_enabled"),
                c.number("created_at"),
            ],
            &["id"],
        ),
        table(
            "tokens",
            [
                c.id("id"),
                c.bytes("digest"),
                c.number("digest_key_version"),
                c.id("user_id"),
                c.id("organisation"),
                c.text("name"),
                c.flag("scope_read"),
                c.flag("scope_write"),
                c.number("created_at"),
                c.number_or_null("expires_at"),
            ],
            &["id"],
        ),
    ]
}

fn keys(c: &Columns) -> [TableCreateStatement; 2] {
    [
        table(
            "kms_keys",
            [
                c.id("id"),
                c.id("organisation"),
                c.id("region"),
                c.id("project"),
                c.text("key_type"),
                c.flag("export_allowed"),
                c.text("name"),
                c.text("slug"),
                c.bytes("metadata"),
                c.flag("rotation_enabled"),
                c.number_or_null("rotation_days"),
                c.text("status"),
                c.number_or_null("purge_at"),
                c.flag_or_null("was_disabled"),
                c.flag("holds_name"),
                c.number("updated_at"),
                c.number("object_version"),
                c.number("revision"),
                c.number("created_at"),
            ],
            &["id"],
        ),
        table(
            "kms_key_versions",
            [c.id("key_id"), c.number("number"), c.bytes("handle"), c.number("created_at")],
            &["key_id", "number"],
        )
        .foreign_key(&mut belongs_to("kms_key_versions", "key_id", "kms_keys"))
        .to_owned(),
    ]
}

fn secrets(c: &Columns) -> [TableCreateStatement; 4] {
    [
        table(
            "secrets",
            [
                c.id("id"),
                c.id("organisation"),
                c.id("region"),
                c.id("project"),
                c.text("path"),
                c.text("parent"),
                c.text("name"),
                c.id("key_id"),
                c.bytes("metadata"),
                c.bytes_or_null("policy"),
                c.number("latest"),
                c.number_or_null("current"),
                c.number("active"),
                c.number("updated_at"),
                c.number("object_version"),
                c.number("revision"),
                c.number("created_at"),
            ],
            &["id"],
        ),
        secret_versions(c),
        // Version 0 stands for the secret as a whole.
        table("secret_access", [c.id("secret"), c.number("version"), c.number("at")], &["secret", "version"]),
        table(
            "answers",
            [
                c.bytes("key"),
                c.bytes("body"),
                c.bytes("answer"),
                c.id("secret"),
                c.number("version"),
                c.number("expires_at"),
            ],
            &["key"],
        ),
    ]
}

fn secret_versions(c: &Columns) -> TableCreateStatement {
    let columns = [
        c.id("secret"),
        c.number("number"),
        c.text("format"),
        c.number("created_at"),
        c.number_or_null("destroyed_at"),
        c.number("key_version"),
    ];
    // Null once it is erased. On SQLite it has its own table, where it can be overwritten.
    let material = if c.is_postgres() {
        vec![c.bytes_or_null("wrapped"), c.bytes_or_null("payload")]
    } else {
        vec![c.number_or_null("material")]
    };
    let mut versions = table("secret_versions", columns.into_iter().chain(material), &["secret", "number"]);
    // On PostgreSQL checking it row by row would cost a seventh of a put: docs/adr/0008-postgresql-lanes.md.
    if !c.is_postgres() {
        versions.foreign_key(&mut belongs_to("secret_versions", "secret", "secrets"));
    }
    versions
}

/// Rows are appended, overwritten in place, and never deleted one by one: docs/adr/0004-erasure-on-sqlite.md.
fn materials(c: &Columns) -> [TableCreateStatement; 2] {
    [
        table("secret_materials", [c.number("id"), c.bytes("wrapped"), c.bytes("payload")], &["id"]),
        table("erased_materials", [c.number("id"), c.number("wrapped_len"), c.number("payload_len")], &["id"]),
    ]
}

fn materials_index() -> IndexCreateStatement {
    index("erased_materials_size", "erased_materials", &["wrapped_len", "payload_len"], false)
}

fn indexes() -> Vec<IndexCreateStatement> {
    let scope = ["organisation", "region", "project"];
    let [organisation, region, project] = scope;
    // A key pending deletion holds neither name nor slug, and may get them back beside a newer key that took them.
    let held = |name, column| {
        let mut held = index(name, "kms_keys", &[organisation, region, project, column], true);
        held.and_where(Expr::col("holds_name").eq(true));
        held
    };
    vec![
        index("organisations_slug", "organisations", &["slug"], true),
        index("regions_slug", "regions", &["slug"], true),
        index("tokens_digest", "tokens", &["digest"], true),
        held("kms_keys_name", "name"),
        held("kms_keys_slug", "slug"),
        index("kms_keys_scope", "kms_keys", &scope, false),
        index("secrets_path", "secrets", &[organisation, region, project, "path"], true),
        // The parent first: otherwise a plan made without statistics may take this index for a path, and read the whole scope.
        index("secrets_level", "secrets", &["parent", organisation, region, project, "name"], false),
        index("answers_secret", "answers", &["secret", "version"], false),
        index("answers_expiry", "answers", &["expires_at"], false),
    ]
}

fn audit(c: &Columns) -> [TableCreateStatement; 3] {
    [
        // Streams in the order in which they began. On SQLite the last is the one that is written; on PostgreSQL each lane of each node
        // writes its own.
        table("audit_streams", [c.ordinal("ordinal"), c.id("id")], &["ordinal"]),
        table(
            "audit_records",
            [
                // Stream and sequence in one number, so that the table is its own index: row::position.
                c.number("position"),
                c.number("stream"),
                c.number("sequence"),
                c.bytes("hash"),
                c.bytes_or_null("signature"),
                c.number_or_null("signing_key_version"),
                c.bytes("canonical"),
                c.number("at"),
                c.id("event"),
                c.id_or_null("organisation"),
                c.id_or_null("region"),
                c.id_or_null("project"),
                c.text_or_null("principal_kind"),
                c.id_or_null("principal"),
                c.id_or_null("credential"),
                c.text("action"),
                c.text("outcome"),
                c.number("status"),
                c.text_or_null("resource_kind"),
                c.text_or_null("resource_identity"),
                c.id_or_null("resource_id"),
                c.number_or_null("resource_version"),
                c.id_or_null("request_id"),
                c.text_or_null("client_ip"),
            ],
            &["position"],
        ),
        // How far the records of a stream are reflected in tables derived from them; `name` says which.
        table("audit_positions", [c.text("name"), c.number("stream"), c.number("sequence")], &["name", "stream"]),
    ]
}

/// A row for each lease that was ever held, never removed, so that no epoch comes again.
fn leases(c: &Columns) -> TableCreateStatement {
    table("leases", [c.text("name"), c.number("epoch"), c.id("holder"), c.number("expires_at")], &["name"])
}

/// No index on the records yet: nothing looks them up but by position, and each index is paid for by every reveal.
fn audit_indexes() -> [IndexCreateStatement; 1] {
    [index("audit_streams_id", "audit_streams", &["id"], true)]
}
