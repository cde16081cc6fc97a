using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>A temporary directory for names of any bytes.</summary>
internal sealed class GoldenPlace : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("holdfast-golden-").FullName;

    public void Dispose() => TreeGenerator.Delete(Path);
}
