-- Odoo runs this on a copy of a database (`odoo neutralize`), which may have no Gatehouse, or tables of any version of it;
-- where the addon is not installed, `flask db neutralize` does, and has said who acts.
DO $$
BEGIN
    PERFORM set_config(
        'gatehouse.actor', coalesce(nullif(current_setting('gatehouse.actor', true), ''), 'odoo neutralize'), true
    );
    IF to_regclass('gatehouse.client') IS NOT NULL THEN
        -- switch client apps off, and end their secrets: without any, an app would be a public one that needs none
        UPDATE gatehouse.client SET active = false WHERE active;
        UPDATE gatehouse.client_secret SET expires_at = now() WHERE expires_at IS NULL OR expires_at > now();
        -- end what they have been given
        DELETE FROM gatehouse.token;
        DELETE FROM gatehouse.authorization_code;
        DELETE FROM gatehouse.consent;
    END IF;
    IF to_regclass('gatehouse.approval') IS NOT NULL THEN
        DELETE FROM gatehouse.approval;
    END IF;
    IF to_regclass('gatehouse.webhook') IS NOT NULL THEN
        -- the copy calls nobody: nothing is left to be sent, and a webhook that is switched on again has to have its
        -- secret made anew before it can sign
        UPDATE gatehouse.webhook
           SET active = false,
               reason = CASE WHEN active THEN 'This is a copy of a database.' ELSE reason END,
               off_at = CASE WHEN active THEN now() ELSE off_at END,
               run = NULL, secret = '', old_secret = NULL, old_secret_until = NULL;
        DELETE FROM gatehouse.delivery WHERE status = 'pending';
    END IF;
    IF to_regclass('gatehouse.setting') IS NOT NULL THEN
        -- the copy shall not hold the key of the original
        UPDATE gatehouse.setting
           SET value = to_jsonb(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''))
         WHERE key = 'secret_key';
    END IF;
END $$;
