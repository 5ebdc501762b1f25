//! All that is there, so that a test can tell whether something was left behind.

use super::world::World;

impl World {
    /// One line a thing, in order.
    pub(super) fn inventory(&mut self) -> Vec<String> {
        for account in self.accounts.ids() {
            self.catch_up(&account);
        }
        let places: Vec<_> = self.networks.keys().cloned().collect();
        for (account, region) in places {
            self.sync_balancers(&account, &region);
        }
        let now = self.clock.now();
        let settle = self.clock.scale(self.options.settle_time);
        let mut lines = Vec::new();
        for (account, region, cluster) in self.accounts.all() {
            cluster.settle(now, settle);
            let place = format!("{account}/{region}");
            lines.push(format!("{place}/cluster/{}", cluster.name));
            lines.extend(cluster.parts().map(|part| format!("{place}/{part}")));
        }
        for (account, region, stack) in self.stacks.all() {
            lines.push(format!("{account}/{region}/stack/{stack}"));
        }
        for ((account, region), network) in &self.networks {
            let place = format!("{account}/{region}");
            let vpcs = network.vpcs.keys().map(|id| ("vpc", id));
            let subnets = network.subnets.keys().map(|id| ("subnet", id));
            // Those that are always there are as good as not there: they appear when somebody looks.
            let made = vpcs
                .chain(subnets)
                .filter(|(_, id)| !network.is_built_in(id));
            let attached = &network.attached;
            let interfaces = attached.interfaces.keys();
            let interfaces = interfaces.map(|id| ("network-interface", id));
            let groups = attached.groups.keys().map(|id| ("security-group", id));
            let balancers = attached.balancers.keys();
            let balancers = balancers.map(|name| ("load-balancer", name));
            let pairs = network.stock.made_key_pairs();
            let pairs = pairs.map(|name| ("key-pair", name));
            let made = made
                .chain(interfaces)
                .chain(groups)
                .chain(balancers)
                .chain(pairs);
            lines.extend(made.map(|(kind, id)| format!("{place}/{kind}/{id}")));
        }
        for ((account, region, name), group) in &self.log_groups {
            let days = group
                .retention
                .map_or_else(String::new, |days| format!(" {days} days"));
            lines.push(format!("{account}/{region}/log-group{name}{days}"));
        }
        for (account, iam) in &self.iam {
            lines.extend(
                iam.roles
                    .keys()
                    .map(|name| format!("{account}/role/{name}")),
            );
            lines.extend(
                iam.providers()
                    .map(|arn| format!("{account}/oidc-provider/{arn}")),
            );
        }
        lines.sort_unstable();
        lines
    }
}
