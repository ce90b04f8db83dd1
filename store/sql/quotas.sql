-- What subscriptions hold in each location.

-- name: quota_load
select quota, used from quota_uses where subscription_key = :subscription_key and location = :location;

-- name: quota_put
insert into quota_uses (subscription_key, location, quota, used)
values (:subscription_key, :location, :quota, :used)
    on conflict (subscription_key, location, quota) do update set used = excluded.used;

-- name: quota_use
select u.quota, u.used
  from subscriptions s join quota_uses u on u.subscription_key = s.key and u.location = :location
 where s.name = :subscription;
