"""`dala watch`: looks at farms by the rules of alerts, and tells who wants to hear of them."""
