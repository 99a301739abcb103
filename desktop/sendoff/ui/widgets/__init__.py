"""The parts that every screen is made of; each is given a Look first, and finished in all its states."""
