use super::named;
use strongroom::iam::me::{Me, OrganisationMembership, Who};
use strongroom_api::{AppUser, MyOrganisation, NamedFields};
use strongroom_domain::directory::Named;
use strongroom_domain::principal::Principal;
use strongroom_domain::tenancy::Organisation;

pub(crate) fn me(me: &Me) -> strongroom_api::Me {
    let kind = match me.principal {
        Principal::User(_) => "user",
        Principal::ServiceAccount(_) => "service_account",
        Principal::Operator(_) => "operator",
    };
    let scopes = [(me.scopes.read, "api:read"), (me.scopes.write, "api:write")];
    let (name, email) = me.who.as_ref().map(|who| (who.name.clone(), who.email.clone())).unwrap_or_default();
    strongroom_api::Me {
        kind: kind.to_owned(),
        identity: me.principal.to_string(),
        name,
        email,
        credential: me.credential.to_string(),
        scopes: scopes.iter().filter(|(has, _)| *has).map(|(_, scope)| (*scope).to_owned()).collect(),
        organisations: me.memberships.iter().map(my_organisation).collect(),
    }
}

fn my_organisation(membership: &OrganisationMembership) -> MyOrganisation {
    let organisation = &membership.organisation;
    MyOrganisation {
        identity: organisation.id.to_string(),
        name: organisation.name.clone(),
        slug: organisation.slug.clone(),
        role: membership.role.as_str().to_owned(),
    }
}

pub(crate) fn membership(membership: &OrganisationMembership) -> strongroom_api::OrganisationMembership {
    strongroom_api::OrganisationMembership {
        identity: membership.identity.clone(),
        created_at: membership.created_at.to_rfc3339(),
        organisation: organisation(&membership.organisation),
        user: who(&membership.who),
        role: membership.role.as_str().to_owned(),
    }
}

fn who(who: &Who) -> AppUser {
    AppUser {
        subject: who.identity.clone(),
        name: who.name.clone(),
        email: who.email.clone(),
        created_at: who.created_at.to_rfc3339(),
    }
}

pub(crate) fn organisation(organisation: &Organisation) -> NamedFields {
    let it = organisation.clone();
    let fields = Named {
        name: it.name,
        slug: it.slug,
        metadata: it.metadata,
        created_at: it.created_at,
        updated_at: it.updated_at,
        object_version: it.object_version,
    };
    named(it.id, &fields)
}
