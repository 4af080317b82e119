"""Operations: the gateway that all doors lead to, and the operations behind it. Nothing here knows Flask."""
