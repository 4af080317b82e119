import { Component } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { registry } from "@web/core/registry";
import { STATIC_ACTIONS_GROUP_NUMBER } from "@web/search/action_menus/action_menus";
import { session } from "@web/session";

/**
 * Return the names of the fields that a list or kanban view shows, in its order. Left out are columns that are never
 * there and those that are hidden until one chooses them, what a kanban view only reads along, and the fields of views
 * within the view.
 *
 * @param {Element} arch
 * @returns {string[]}
 */
export function shownFields(arch) {
    const shown = arch.querySelector("templates") || arch;
    const fields = [...shown.querySelectorAll("field[name]")].filter(
        (field) =>
            !field.parentElement.closest("field") &&
            !["1", "True", "true"].includes(field.getAttribute("column_invisible")) &&
            field.getAttribute("optional") !== "hide"
    );
    return [...new Set(fields.map((field) => field.getAttribute("name")))];
}

/**
 * "Expose API" in the gear menu: the panel's form for a new API, in a new tab, with this model and these fields.
 */
export class ExposeApi extends Component {
    static template = "gatehouse.ExposeApi";
    static components = { DropdownItem };
    static props = {};

    expose() {
        const query = new URLSearchParams({
            model: this.env.searchModel.resModel,
            fields: shownFields(this.env.config.viewArch).join(","),
        });
        browser.open(`/gatehouse/expose?${query}`, "_blank", "noopener");
    }
}

registry.category("cogMenu").add(
    "gatehouse-expose-api",
    {
        Component: ExposeApi,
        groupNumber: STATIC_ACTIONS_GROUP_NUMBER,
        // The server tells admins alone, and asks again when the form is opened.
        isDisplayed: ({ config }) =>
            session.gatehouse_expose_api &&
            config.actionType === "ir.actions.act_window" &&
            ["kanban", "list"].includes(config.viewType),
    },
    { sequence: 20 }
);
