"""Functions of Odoo, gunicorn and Flask that we copy or lean on though nobody has promised that they stay.

Each is named with a digest of its source. Where an upgrade has changed one, the log names it at the start with the
module of ours that it concerns, and the fast pieces that lean on it are off. Public methods that do what their
documentation says are not listed; of those that we replace or go round, each is.
"""

from __future__ import annotations

import linecache
import logging
from collections.abc import Iterable

from odoo_bridge import fast
from odoo_bridge.reliance import Reliance

_logger = logging.getLogger(__name__)

#: Digests of sources, with a space between those of several versions, by our modules that lean on the functions.
_SOURCES: dict[tuple[str, ...], dict[str, str]] = {
    ("odoo_bridge/connections.py", "odoo_bridge/fast/driver.py"): {
        "odoo.sql_db:ConnectionPool.borrow": "99d42aa8955b",
        "odoo.sql_db:ConnectionPool.give_back": "506c41fc6e0c",
        "odoo.sql_db:Cursor.__init__": "c44b134459a0",
        "odoo.sql_db:Cursor.execute": "be980e781d4a",
        "odoo.sql_db:Cursor.close": "84af0a368703",
        "odoo.sql_db:Cursor._close": "fc36d84c03bb",
        "odoo.sql_db:Savepoint.__init__": "097c98d4a5de",
        "odoo.sql_db:Savepoint._close": "a74034b18395",
        "odoo.sql_db:Savepoint.rollback": "833a4654bf0b",
    },
    ("odoo_bridge/fast/statements.py", "odoo_bridge/fast/fetches.py", "odoo_bridge/fast/cacheable.py"): {
        "odoo.addons.base.models.ir_rule:IrRule._compute_domain": "ea01f152716f",
        "odoo.orm.domains:Domain.optimize_full": "289da348c020",
        "odoo.orm.domains:DomainCondition._to_sql": "dcf3db55c930",
        "odoo.orm.models:BaseModel._check_field_access": "5e43ac6ed7ca",
        "odoo.orm.models:BaseModel._field_to_sql": "d0357f3598f7",
        "odoo.orm.models:BaseModel._has_field_access": "0ee2eedfecd7",
        "odoo.orm.models:BaseModel._order_field_to_sql": "65404a769102",
        "odoo.orm.models:BaseModel._order_to_sql": "38bd131001f4",
        "odoo.orm.models:BaseModel._search": "b2646357929a",
        "odoo.orm.models:BaseModel._table_sql": "1648b783ffd0",
        "odoo.orm.models:BaseModel.check_access": "28fe2e1740ac",
        "odoo.tools.query:Query.__init__": "c0bbc55c21b5",
        "odoo.tools.query:Query.add_where": "0e383428b6b1",
    },
    ("app/definitions/ids.py",): {
        "hashids:Hashids.__init__": "88fe755a1a45",
        "hashids:_encode": "6c60796ca967",
        "hashids:_reorder": "a6ecf50b0616",
    },
    ("odoo_bridge/aggregates.py",): {
        "odoo.orm.models:BaseModel._read_group": "4654860e8864",
        "odoo.orm.models:BaseModel._read_group_groupby": "9183e8409f6f",
        "odoo.orm.models:BaseModel._read_group_having": "e47ec35558b6",
    },
    ("odoo_bridge/fast/cached.py",): {
        "odoo.orm.environments:Environment.flush_query": "b1b0d73ebcf5",
        "odoo.orm.models:BaseModel.search_fetch": "e4936b5a19f7",
    },
    ("odoo_bridge/fast/clauses.py", "odoo_bridge/fast/deep_pages.py"): {
        "odoo.tools.query:Query.from_clause": "46e6ffa5e2b4",
        "odoo.tools.query:Query.where_clause": "899b02fc6099",
    },
    ("odoo_bridge/estimates.py", "odoo_bridge/lengths.py", "odoo_bridge/fast/counts.py"): {
        "odoo.orm.models:BaseModel.search_count": "0c318bedea5b",
        "odoo.tools.query:Query.__len__": "099ed34c2d3d",
    },
    (
        "odoo_bridge/fast/counts.py",
        "odoo_bridge/fast/fetches.py",
        "odoo_bridge/fast/shapes.py",
        "odoo_bridge/estimates.py",
    ): {
        "odoo.tools.query:Query.select": "b16b997b8960",
    },
    (
        "odoo_bridge/fast/cached.py",
        "odoo_bridge/fast/fetches.py",
        "odoo_bridge/by_id.py",
        "odoo_bridge/paging.py",
    ): {
        "odoo.orm.models:BaseModel._determine_fields_to_fetch": "dd04e03b9b2f",
        "odoo.orm.models:BaseModel._fetch_query": "35bea52148a9",
        "odoo.orm.models:BaseModel.fetch": "5de560663206",
    },
    ("odoo_bridge/fast/cached.py", "odoo_bridge/fast/fetches.py", "odoo_bridge/fast/prefetch.py"): {
        "odoo.orm.fields:Field._insert_cache": "6cf94289c444",
        "odoo.orm.fields_textual:BaseString._insert_cache": "aaef1203ca35",
    },
    ("odoo_bridge/fast/columns.py", "odoo_bridge/fast/shapes.py"): {
        "odoo.orm.fields:Field.__get__": "b79895749dac",
        "odoo.orm.fields:Field.convert_to_read": "7baba53039db",
        "odoo.orm.fields:Field.convert_to_record": "54d6e5a52f7a",
        "odoo.orm.fields_numeric:Float.convert_to_record": "9de451495d93",
        "odoo.orm.fields_numeric:Integer.convert_to_read": "898fa48acaaa",
        "odoo.orm.fields_numeric:Integer.convert_to_record": "c468e15d6b67",
        "odoo.orm.fields_numeric:Monetary.convert_to_read": "3527f6b4b4ec",
        "odoo.orm.fields_numeric:Monetary.convert_to_record": "9de451495d93",
        "odoo.orm.fields_relational:Many2one.convert_to_read": "ea1a59d51d65",
        "odoo.orm.fields_relational:Many2one.convert_to_record": "8390fd0001d8",
        "odoo.orm.fields_textual:BaseString.convert_to_record": "71c343fdc62b",
        "odoo.orm.fields_textual:Html.convert_to_read": "78793e25949b",
        "odoo.orm.fields_textual:Html.convert_to_record": "6afa2711279e",
        "odoo.orm.models:BaseModel._read_format": "f1a9fdce90fa",
    },
    ("odoo_bridge/fast/columns.py",): {
        "odoo.orm.fields:Field.recompute": "a78dd6f4947a",
    },
    ("odoo_bridge/fast/shapes.py",): {
        "odoo.orm.fields:Field.convert_to_display_name": "4cc42bc53ae1",
        "odoo.orm.models:BaseModel._check_access": "8e7becf7e536",
        "odoo.orm.models:BaseModel._compute_display_name": "947f9f13c167",
        "odoo.orm.models:BaseModel._filtered_access": "3927f7962c54",
    },
    ("odoo_bridge/fast/columns.py", "odoo_bridge/fast/prefetch.py", "odoo_bridge/fast/cached.py"): {
        "odoo.orm.fields:Field._get_cache": "ddc629405e1b",
        "odoo.orm.fields:Field._get_cache_impl": "db61edc35568",
    },
    ("odoo_bridge/fast/prefetch.py",): {
        "odoo.sql_db:BaseCursor.now": "cf84d451143a",
    },
    ("odoo_bridge/fast/fetches.py",): {
        "odoo.addons.base.models.ir_rule:IrRule._compute_domain_context_values": "1b8275da1821",
        "odoo.addons.base.models.ir_rule:IrRule._make_access_error": "2bb26162ec0e",
        "odoo.orm.fields:Field.to_sql": "a0cb5a982323",
        "odoo.orm.fields_textual:BaseString.get_translation_fallback_langs": "d955fcfaac00",
        "odoo.orm.fields_textual:BaseString.to_sql": "949887f84737",
        "odoo.orm.models:BaseModel._fetch_field": "0fb739ba0d4a",
    },
    ("odoo_bridge/fast/writes.py", "odoo_bridge/fast/foresight.py"): {
        "odoo.orm.models:BaseModel._modified_triggers": "a792e0fa027e",
    },
    ("odoo_bridge/fast/fetches.py", "odoo_bridge/fast/foresight.py"): {
        "odoo.orm.fields_relational:One2many.read": "a6d7c6da8bbb",
    },
    ("odoo_bridge/fast/writes.py",): {
        "odoo.addons.base.models.ir_default:IrDefault._get_model_defaults": "3ebec6bcc22b",
        "odoo.orm.domains:Domain._optimize": "415b20777bbc",
        "odoo.orm.domains:DomainCondition._as_predicate": "b3e060591a27",
        "odoo.orm.fields:Field._get_all_cache_ids": "702ffd636be1",
        "odoo.orm.fields_reference:Many2oneReference._record_ids_per_res_model": "0f6e482c735c",
        "odoo.orm.fields_reference:Many2oneReference._update_inverses": "18878911e96e",
        "odoo.orm.fields_relational:_RelationalMulti._update_cache": "a24e18f2e9e7",
        "odoo.orm.fields_relational:_Relational.get_comodel_domain": "5ee24746863c",
        "odoo.orm.fields_relational:One2many._additional_domain": "107613f9349e",
        "odoo.orm.fields_relational:One2many.get_comodel_domain": "8a34f2273d5c",
        "odoo.orm.fields_textual:Html._convert": "e363da7997db",
        "odoo.orm.models:BaseModel._modified": "22e61db7e40f",
        "odoo.orm.models:BaseModel.default_get": "d532ec9d2e01",
        "odoo.orm.registry:Registry._discard_fields": "7a303a07ec61",
        "odoo.orm.registry:Registry.get_field_trigger_tree": "b1994cdfba51",
        "odoo.orm.registry:Registry.get_trigger_tree": "3975823c6d36",
        "odoo.orm.registry:TriggerTree.merge": "9e4c7b2c85e5",
        "odoo.tools.mail:html_sanitize": "dc59779e03af",
    },
    ("odoo_bridge/fast/cacheable.py",): {
        "odoo.addons.base.models.res_company:ResCompany.create": "79d623ca86d2",
        "odoo.addons.base.models.res_company:ResCompany.unlink": "2baf1bfb0b33",
        "odoo.addons.base.models.res_company:ResCompany.write": "92ccf6a27acb",
    },
    ("odoo_bridge/caches.py",): {
        "odoo.orm.registry:Registry.clear_all_caches": "fa9ea83327f7",
        "odoo.orm.registry:Registry.clear_cache": "91ba0ed4c980",
        "odoo.orm.registry:Registry.init": "cd9616a3d75d",
        "odoo.sql_db:Cursor.commit": "2bae9eaded22",
        "odoo.sql_db:Cursor.rollback": "4ae575f57f86",
        "odoo.tools.cache:ormcache.__call__": "6470757bd67c",
        "odoo.tools.cache:ormcache.add_value": "9c4489f81e29",
        "odoo.tools.cache:ormcache.lookup": "13f1830aa98b",
        "odoo.tools.lru:LRU.clear": "5fdadb97c965",
    },
    (
        "odoo_bridge/signaling.py",
        "odoo_bridge/current_registry.py",
        "odoo_bridge/looks.py",
        "odoo_bridge/transaction.py",
    ): {
        "odoo.orm.registry:Registry.cache_invalidated": "30946f5ada61",
        "odoo.orm.registry:Registry.check_signaling": "94223dbf8e1b",
        "odoo.orm.registry:Registry.get_sequences": "0576e634d98f",
        "odoo.orm.registry:Registry.registry_invalidated": "8941a4302e63",
        "odoo.orm.registry:Registry.reset_changes": "296fe6b6fff1",
        "odoo.orm.registry:Registry.signal_changes": "1071275f6624",
        "odoo.orm.environments:Transaction.reset": "e5ae0fff3188",
        "odoo.service.model:retrying": "ac38f842f40b",
    },
    ("odoo_bridge/boot.py", "odoo_bridge/pools.py", "odoo_bridge/compat.py"): {
        "odoo.sql_db:ConnectionPool.__init__": "54166a701bc3",
        "odoo.sql_db:connection_info_for": "da19d733baad",
        "odoo.sql_db:db_connect": "42863704e7dd",
    },
    ("odoo_bridge/addon_imports.py", "odoo_bridge/loaded_code.py"): {
        "odoo.modules.loading:load_modules": "d058f6c95223",
        "odoo.modules.loading:reset_modules_state": "1d04051ce617",
        "odoo.modules.module:load_openerp_module": "30a96f789322",
        "odoo.modules.module_graph:ModuleGraph._imported_modules": "6f971b09470b",
        "odoo.orm.models:MetaModel.__init__": "f0fc67d72f81",
        "odoo.orm.registry:Registry.load": "765488a23e41",
        "odoo.orm.registry:Registry.new": "83e4350e80ed",
    },
    ("odoo_bridge/paging.py", "odoo_bridge/by_id.py", "odoo_bridge/records.py"): {
        "odoo.orm.models:BaseModel._as_query": "19b5b1d58b33",
        "odoo.orm.models:BaseModel._filtered_access": "3927f7962c54",
        "odoo.orm.models:BaseModel.search": "c539ae476c76",
    },
    ("odoo_bridge/sandbox.py", "odoo_bridge/replica.py"): {
        "odoo.addons.base.models.ir_attachment:IrAttachment._mark_for_gc": "b96dcea3757d",
        "odoo.addons.base.models.ir_attachment:IrAttachment._storage": "ac51a8d3d767",
        "odoo.addons.base.models.ir_mail_server:IrMail_Server._connect__": "2fb0270b6678",
        "odoo.addons.base.models.ir_mail_server:IrMail_Server.send_email": "8b84c9edecb4",
        "odoo.orm.registry:Registry.cursor": "2d4bae2ed78e",
        "odoo.sql_db:BaseCursor.__init__": "edd1e5a82efa",
        "odoo.sql_db:BaseCursor.flush": "d00b8b75cdf7",
        "odoo.sql_db:Connection.cursor": "934b8771cfcd",
        "odoo.sql_db:ConnectionPool.close_all": "8166ceb51b10",
    },
    ("odoo_bridge/filestore.py", "odoo_bridge/binary.py"): {
        "odoo.addons.base.models.ir_attachment:IrAttachment._file_write": "6557c648fde0",
        "odoo.addons.base.models.ir_attachment:IrAttachment._full_path": "8c90a4a5c312",
        "odoo.addons.base.models.ir_attachment:IrAttachment._same_content": "400577c61735",
        "odoo.orm.fields:Field._compute_related": "500c63a6fe9a",
    },
    ("odoo_bridge/sessions.py", "odoo_bridge/second_factor.py"): {
        "odoo.addons.base.models.res_users:ResUsers._compute_session_token": "6d878bbd9101",
        "odoo.addons.base.models.res_users:ResUsers._mfa_type": "3ef4d8d0956f",
        "odoo.http:FilesystemSessionStore.delete_from_identifiers": "7c65a24f73e2",
        "odoo.http:FilesystemSessionStore.get": "264e8430b7e0",
        "odoo.http:FilesystemSessionStore.get_session_filename": "69d7d75dba19",
        "odoo.http:FilesystemSessionStore.is_valid_key": "594f564357e7",
        "odoo.http:FilesystemSessionStore.rotate": "efcb56b09722",
        "odoo.http:Request._save_session": "55904620dccb",
        "odoo.http:Session.finalize": "2dc371958fad",
        "odoo.http:borrow_request": "0bd02cd65838",
        "odoo.http:get_default_session": "193b2a33ed8e",
        "odoo.http:get_session_max_inactivity": "fc1d846644c4",
        "odoo.service.security:check_session": "6fdbf95040f6",
    },
    ("odoo_bridge/changes/sight.py", "odoo_bridge/changes/places.py", "odoo_bridge/changes/following.py"): {
        "odoo.addons.base.models.ir_rule:IrRule._compute_domain": "ea01f152716f",
        "odoo.addons.base.models.ir_rule:IrRule._eval_context": "f87cc4ebb763",
        "odoo.addons.base.models.res_users:ResUsers._get_group_ids": "b9817df97d59",
        "odoo.orm.domains:Domain.optimize_full": "289da348c020",
        "odoo.orm.models:BaseModel._search": "b2646357929a",
        "odoo.tools.query:Query.subselect": "ec8df96ff3d1",
    },
    ("odoo_bridge/credentials.py", "odoo_bridge/users.py"): {
        "odoo.addons.base.models.res_users:ResUsers._crypt_context": "0f72d4cf953a",
        "odoo.addons.base.models.res_users:ResUsers._get_company_ids": "9768d6a8847b",
        "odoo.addons.base.models.res_users:ResUsers._mfa_url": "fe67e445a528",
        "odoo.addons.base.models.res_users:ResUsers.authenticate": "c1ae1a458856",
        "odoo.addons.base.models.res_users:ResUsers.context_get": "a17e3aa3b89e",
    },
    ("odoo_bridge/credentials.py", "odoo_bridge/fast/principals.py"): {
        "odoo.addons.base.models.res_users:ResUsersApikeys._check_credentials": "4032ec5c9fca",
    },
    ("odoo_bridge/methods.py", "odoo_bridge/properties.py", "odoo_bridge/models.py", "odoo_bridge/translation.py"): {
        "odoo.orm.decorators:model": "8de11e18e4b0",
        "odoo.orm.fields_properties:Properties._get_properties_definition": "30d07ccddaa9",
        "odoo.orm.fields_properties:Property.__init__": "76694ee8d8c6",
        "odoo.orm.models:BaseModel._sql_error_to_message": "dc50b302709a",
        "odoo.orm.model_classes:add_to_registry": "4993f8d6007d",
        "odoo.service.model:get_public_method": "e59053201206",
    },
    ("serving/worker.py", "serving/acceptor.py"): {
        "gunicorn.workers.base:Worker.__init__": "80c4830e9078",
        "gunicorn.workers.base:Worker.init_process": "aaab22c2f226",
        "gunicorn.workers.base:Worker.notify": "0c9a9946c72b",
        "gunicorn.workers.gthread:PollableMethodQueue.defer": "bd7d8f9cdaad",
        "gunicorn.workers.gthread:PollableMethodQueue.init": "d46790238ad1",
        "gunicorn.workers.gthread:PollableMethodQueue.run_callbacks": "cd1abb2d93a1",
    },
    ("serving/answer.py", "serving/environ.py"): {
        "gunicorn.http.wsgi:Response.close": "0469da325f43",
        "gunicorn.http.wsgi:Response.sendfile": "5e3218c3b107",
        "gunicorn.http.wsgi:Response.should_close": "cd784e8a6495",
        "gunicorn.http.wsgi:Response.start_response": "80b049196109",
        "gunicorn.http.wsgi:Response.write": "cb37307f3560",
        "gunicorn.http.wsgi:create": "ad60331ae454",
        "gunicorn.util:split_request_uri": "7a1070611f13",
        "gunicorn.util:unquote_to_wsgi_str": "e84dc4a0a91f",
    },
    ("serving/rolling.py", "serving/renewal.py", "serving/draining.py"): {
        "gunicorn.arbiter:Arbiter.handle_hup": "98211abd0b7c",
        "gunicorn.arbiter:Arbiter.handle_term": "0be0ee499f21",
        "gunicorn.arbiter:Arbiter.manage_workers": "de0e6b4df6e4",
        "gunicorn.arbiter:Arbiter.murder_workers": "4a9764a53769",
        "gunicorn.arbiter:Arbiter.reexec": "7d35172293ca",
        "gunicorn.arbiter:Arbiter.spawn_worker": "c6e0c8fc1015",
        "gunicorn.arbiter:Arbiter.start": "df3e007b0af1",
        "gunicorn.arbiter:Arbiter.stop": "e82ab948fed0",
    },
    ("app/web/answers.py",): {
        "werkzeug.wrappers.response:Response.get_wsgi_headers": "6e87d9646cbd",
        "werkzeug.wrappers.response:Response.get_wsgi_response": "67c494c3edfc",
    },
    ("app/web/lazy_rule.py",): {
        "werkzeug.routing.rules:Rule._compile_builder": "021699a44e55",
        "werkzeug.routing.rules:Rule.compile": "1f6a6c1d73fd",
    },
    ("app/web/routing.py",): {
        "flask.app:Flask.ensure_sync": "fa1544049a03",
    },
    ("app/web/current.py", "app/web/routing.py"): {
        "flask.app:Flask.dispatch_request": "f81e5c47e3e5",
        "flask.ctx:RequestContext.match_request": "f929a2a29957",
        "werkzeug.local:LocalProxy.__init__": "97aba27b9efd",
    },
    ("app/blueprints/oauth2/server.py",): {
        "oauthlib.oauth2:AuthorizationCodeGrant.create_authorization_code": "23ddaa5d0323",
        "oauthlib.oauth2:AuthorizationCodeGrant.validate_code_challenge": "f9109547a045",
    },
}
RELIANCES = tuple(
    Reliance(function, tuple(digests.split()), modules)
    for modules, functions in _SOURCES.items()
    for function, digests in functions.items()
)


def changed() -> list[Reliance]:
    """Return the functions that are not as they were when our code was written for them."""
    return [reliance for reliance in RELIANCES if reliance.is_changed()]


def act_on(reliances: Iterable[Reliance]) -> None:
    """Name in the log what has changed, and switch off the fast pieces that lean on it."""
    for reliance in dict.fromkeys(reliances):
        _logger.warning("%s is not what this version of Gatehouse was tested with", reliance)
        for piece in filter(fast.is_on, reliance.pieces):
            fast.switch_off(piece, f"{reliance.name} has changed")
    linecache.clearcache()  # ``inspect`` has left whole files there
