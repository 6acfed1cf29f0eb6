use super::fields::{flag, list, named, put_flag, put_list, put_named, put_texts, texts};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::directory::{Binding, BoundTo, Role};
use strongroom_domain::iam::Rule;
use strongroom_domain::id::{BindingId, OrganisationId, RoleId, RuleId, ServiceAccountId, TeamId, UserId};

pub(super) fn put(to: &mut Encoder, role: &Role) {
    to.id(role.id.uuid()).id(role.organisation.uuid());
    put_named(to, &role.named);
    put_flag(to, role.read_only);
    put_list(to, &role.rules, put_rule);
}

pub(super) fn read(from: &mut Decoder<'_>) -> Result<Role, DecodeError> {
    Ok(Role {
        id: RoleId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        named: named(from)?,
        read_only: flag(from)?,
        rules: list(from, rule)?,
    })
}

fn put_rule(to: &mut Encoder, rule: &Rule) {
    to.id(rule.id.uuid());
    put_texts(to, &rule.resources);
    put_texts(to, &rule.resource_identities);
    put_texts(to, &rule.permissions);
    to.text(&rule.note);
}

fn rule(from: &mut Decoder<'_>) -> Result<Rule, DecodeError> {
    Ok(Rule {
        id: RuleId::new(from.id()?),
        resources: texts(from)?,
        resource_identities: texts(from)?,
        permissions: texts(from)?,
        note: from.text()?,
    })
}

const USER: &str = "user";
const TEAM: &str = "team";
const SERVICE_ACCOUNT: &str = "service_account";

pub(super) fn put_binding(to: &mut Encoder, binding: &Binding) {
    to.id(binding.id.uuid()).id(binding.organisation.uuid()).id(binding.role.uuid());
    put_named(to, &binding.named);
    match binding.to {
        BoundTo::User(id) => to.text(USER).id(id.uuid()),
        BoundTo::Team(id) => to.text(TEAM).id(id.uuid()),
        BoundTo::ServiceAccount(id) => to.text(SERVICE_ACCOUNT).id(id.uuid()),
    };
    put_texts(to, &binding.projects);
}

pub(super) fn binding(from: &mut Decoder<'_>) -> Result<Binding, DecodeError> {
    Ok(Binding {
        id: BindingId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        role: RoleId::new(from.id()?),
        named: named(from)?,
        to: bound_to(from)?,
        projects: texts(from)?,
    })
}

fn bound_to(from: &mut Decoder<'_>) -> Result<BoundTo, DecodeError> {
    let (kind, id) = (from.text()?, from.id()?);
    match kind.as_str() {
        USER => Ok(BoundTo::User(UserId::new(id))),
        TEAM => Ok(BoundTo::Team(TeamId::new(id))),
        SERVICE_ACCOUNT => Ok(BoundTo::ServiceAccount(ServiceAccountId::new(id))),
        _ => Err(DecodeError),
    }
}
