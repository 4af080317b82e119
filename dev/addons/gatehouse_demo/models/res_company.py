from odoo import models


class ResCompany(models.Model):
    _inherit = "res.company"

    def get_company_name_with_phone(self, is_uppercase=False):
        """Return the company's name and phone as one text, e.g. "YourCompany - +1 555-555-5556".

        Without a phone it is the name alone. `is_uppercase` turns the text into capitals.
        """
        self.ensure_one()
        text = " - ".join(part for part in (self.name, self.phone) if part)
        return text.upper() if is_uppercase else text
