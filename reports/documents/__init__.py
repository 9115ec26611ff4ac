"""Reports as documents for people: PDF and XLSX, in the languages of the country.

They show what a report's file says and are not signed themselves.
"""

FORMS = ("xlsx", "pdf")
