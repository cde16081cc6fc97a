using Holdfast.Vault.Bytes;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>
/// Says whose signature a public key makes, and what that writer may do; signed by the first admin. Layout:
/// docs/formats/vault.md, "Writers".
/// </summary>
/// <param name="PublicKey">Ed25519: verifies what the writer signs.</param>
/// <param name="ReceivingKey">X25519: what is sealed to it only the writer opens.</param>
/// <param name="Role">What the writer may do.</param>
/// <param name="Slot">The key slot that this tells of: 16 hex digits.</param>
/// <param name="Epoch">The newest epoch in that slot: later ones are delivered.</param>
/// <param name="Seconds">When it was made, by the admin's clock; seconds since 1970.</param>
/// <param name="Label">What people call it.</param>
internal sealed record WriterCertificate(
    byte[] PublicKey, byte[] ReceivingKey, KeyRole Role, string Slot, uint Epoch, long Seconds, string Label)
{
    public ulong WriterId => KeyEpoch.KeyId("writer", PublicKey);

    /// <summary>What is said of the writer of a ring that lies in a slot.</summary>
    public static WriterCertificate Of(KeyRing ring, string slot) => new(
        Libsodium.SignPublicKey(ring.WriterSeed), Libsodium.BoxPublicKey(ring.ReceivingPrivateKey()), ring.Role, slot,
        ring.Current.Number, ring.CreatedSeconds, ring.Label);

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.U8((byte)WriterStatementKind.Certificate);
        writer.Bytes(PublicKey);
        writer.Bytes(ReceivingKey);
        writer.U8((byte)Role);
        writer.Bytes(Convert.FromHexString(Slot));
        writer.U32(Epoch);
        writer.SignedVarint(Seconds);
        writer.Text(Label);
        return writer.ToArray();
    }

    /// <summary>Reads what follows the kind.</summary>
    public static WriterCertificate Decode(ref ByteReader reader)
    {
        byte[] publicKey = reader.Bytes(Libsodium.PublicKeyBytes).ToArray(), receivingKey = reader.Bytes(Libsodium.PublicKeyBytes).ToArray();
        var role = (KeyRole)reader.U8();
        if (role is KeyRole.Invalid or > KeyRole.Prune) throw reader.Damage($"role {(byte)role}");
        string slot = Convert.ToHexStringLower(reader.Bytes(KeyDirectory.IdBytes));
        uint epoch = reader.U32();
        long seconds = WriterStatement.DecodeTime(ref reader);
        string label = reader.Text();
        if (label.Length > KeyRing.MaxLabelBytes) throw reader.Damage($"a label of {label.Length} characters");
        var certificate = new WriterCertificate(publicKey, receivingKey, role, slot, epoch, seconds, label);
        reader.ExpectEnd();
        return certificate;
    }
}
