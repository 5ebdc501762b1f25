-- Who administers the clusters that are made in an account, and what bounds the roles made there.
alter table accounts
    -- ARNs of IAM principals; each gets an access entry in every cluster that is made
    add column cluster_admin_arns text[] not null default '{}'
        constraint accounts_cluster_admins_bounded check (cardinality(cluster_admin_arns) <= 20),
    -- the permissions boundary of every role that is made; none is demanded without it
    add column permissions_boundary_arn text;
