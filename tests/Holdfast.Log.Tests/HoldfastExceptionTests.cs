namespace Holdfast.Log.Tests;

public sealed class HoldfastExceptionTests
{
    [Fact]
    public void CarriesWhatTheUserNeeds()
    {
        var inner = new InvalidOperationException("below");
        var error = new HoldfastException(ErrorKind.Busy, "volume /v: held by pid 7", "stop it", inner);

        Assert.Equal(ErrorKind.Busy, error.Kind);
        Assert.Equal("volume /v: held by pid 7", error.Message);
        Assert.Equal("stop it", error.Hint);
        Assert.Same(inner, error.InnerException);
        Assert.Null(new HoldfastException(ErrorKind.Failed, "x").Hint);
    }

    [Theory]
    [InlineData(DiskException.NoSpace, "/d/f: pwrite: no space left on device", true)]
    [InlineData(DiskException.InputOutput, "/d/f: pwrite: input/output error", true)]
    [InlineData(DiskException.AccessDenied, "/d/f: pwrite: permission denied", true)]
    [InlineData(999, "/d/f: pwrite: error 999", false)]
    public void ADiskErrorNamesThePathTheCallAndWhatToDo(int errno, string message, bool hasHint)
    {
        var error = new DiskException("pwrite", "/d/f", errno);

        Assert.Equal(message, error.Message);
        Assert.Equal(message, $"{error.Path}: {error.Reason}");
        Assert.Equal(errno, error.Errno);
        Assert.Equal(ErrorKind.Failed, error.Kind);
        Assert.Equal(hasHint, error.Hint is not null);
    }

    /// The values are the exit codes that scripts rely on.
    [Fact]
    public void KindsAreTheExitCodes() => Assert.Equal(
        [1, 2, 3, 10, 11, 12, 13, 14, 15, 16],
        Enum.GetValues<ErrorKind>().Select(k => (int)k).Order());
}
